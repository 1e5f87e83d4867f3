"""How far a run has come and how long it may still take, from its log and its last sign of life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any

from movielens_recsys.runs.events import Event
from movielens_recsys.runs.heartbeat import HeartbeatRecord
from movielens_recsys.runs.run import Run
from movielens_recsys.schema import RunState
from movielens_recsys.training.budget import TrainingBudget

_EPOCHS_TIMED = 10
_BETWEEN_EPOCHS = {"epoch", "utilization", "finding", "contingency"}


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands; times are in seconds, and None where there is nothing to tell them by.

    Attributes
    ----------
    epochs_done, epochs
        How many epochs are finished, and how many there are at most.
    step, steps
        The position in the epoch under way, of a run that trains.
    waited, patience
        Epochs since the last that improved, and after how many of them training ends; None: never early.
    seconds_an_epoch
        The median of the last ten, validation and saving included; in the first one, by its steps so far.
    left_at_most_s, left_if_no_better_s
        What training still takes if it goes through all epochs, and if no epoch improves any more.
    silent_s
        Time since the last sign of life of a run that trains.
    """

    epochs_done: int
    epochs: int
    step: int
    steps: int
    waited: int
    patience: int | None
    seconds_an_epoch: float | None = None
    left_at_most_s: float | None = None
    left_if_no_better_s: float | None = None
    silent_s: float | None = None

    @property
    def share(self) -> float:
        """How much of all epochs is done, from 0 to 1."""
        return (self.epochs_done + self.share_of_epoch) / self.epochs

    @property
    def share_of_epoch(self) -> float:
        """How much of the epoch under way is done, from 0 to 1."""
        return self.step / self.steps if self.steps else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the progress as plain JSON values."""
        return {**asdict(self), "share": self.share}


def progress_of(
    run: Run, events: Sequence[Event], course: TrainingBudget, beat: HeartbeatRecord | None, now: datetime
) -> Progress:
    """Return where ``run``, which is the fold of ``events``, stands at ``now``."""
    done = run.history[-1]["epoch"] if run.history else 0
    improved = max((record["epoch"] for record in run.history if record["improved"]), default=0)
    patience = course.patience
    fixed = (done, course.epochs)
    if run.state is not RunState.RUNNING:
        return Progress(*fixed, 0, 0, done - improved, patience)
    here = beat is not None and beat.epoch == done + 1
    step, steps = (beat.step, beat.steps) if beat and here else (0, 0)
    signs = [events[-1].time, *([beat.time] if beat else [])]
    silent_s = max(0.0, min(_seconds(sign, now) for sign in signs))
    seconds = _seconds_an_epoch(events) or _seconds_by_steps(events, beat if here else None)
    if seconds is None:
        return Progress(*fixed, step, steps, done - improved, patience, silent_s=silent_s)
    begun = step / steps if steps else 0.0
    left = max(0.0, course.epochs - done - begun)
    left_early = left
    if patience is not None:
        left_early = min(left, max(0.0, patience - (done - improved) - begun))
    return Progress(
        *fixed,
        step,
        steps,
        done - improved,
        patience,
        seconds_an_epoch=seconds,
        left_at_most_s=left * seconds,
        left_if_no_better_s=left_early * seconds,
        silent_s=silent_s,
    )


def _seconds_an_epoch(events: Sequence[Event]) -> float | None:
    """Return the usual time between the ends of two epochs that no interruption lies between."""
    ends: list[list[str]] = [[]]
    for event in events:
        if event.kind == "data":
            ends.append([event.time])
        elif event.kind == "epoch":
            ends[-1].append(event.time)
        elif event.kind not in _BETWEEN_EPOCHS:
            ends.append([])
    times = [
        _seconds(before, datetime.fromisoformat(after)) for piece in ends for before, after in pairwise(piece)
    ]
    return max(0.0, median(times[-_EPOCHS_TIMED:])) if times else None


def _seconds_by_steps(events: Sequence[Event], beat: HeartbeatRecord | None) -> float | None:
    """Return how long the first epoch would take at the pace of its steps so far, without its validation."""
    began = [event.time for event in events if event.kind == "data"]
    if beat is None or not beat.step or not began:
        return None
    return max(0.0, _seconds(began[-1], datetime.fromisoformat(beat.time))) * beat.steps / beat.step


def _seconds(moment: str, now: datetime) -> float:
    return (now - datetime.fromisoformat(moment)).total_seconds()
