"""Progress of a run and its remaining time, from its log and its last heartbeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any

from movielens_recsys.runs.events import Event
from movielens_recsys.runs.heartbeat import HeartbeatRecord
from movielens_recsys.runs.phase import RunPhase, phase_of
from movielens_recsys.runs.run import Run
from movielens_recsys.schema import RunState
from movielens_recsys.training.budget import TrainingBudget

_EPOCHS_TIMED = 10
_BETWEEN_EPOCHS = {"epoch", "utilization", "finding", "contingency"}


@dataclass(frozen=True, slots=True)
class Progress:
    """Position of a run; times are in seconds, and None where nothing was measured yet.

    Attributes
    ----------
    epochs_done, epochs
        How many epochs are finished, and the largest number there can be.
    step, steps
        The position in the current epoch, of a run that trains.
    waited, patience
        Epochs since the last improvement, and the number of them that ends training; None: never early.
    seconds_an_epoch
        The median of the last ten, validation and saving included; in the first epoch, from its steps so far.
    left_at_most_s, left_if_no_better_s
        Remaining time if training goes through all epochs, and if no epoch improves any more.
    silent_s
        Time since the last event or heartbeat of a run that trains.
    phase
        What a process is doing with the run; None if there is none.
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
    phase: RunPhase | None = None

    @property
    def share(self) -> float:
        """Fraction of all epochs that is done, from 0 to 1."""
        return (self.epochs_done + self.share_of_epoch) / self.epochs

    @property
    def share_of_epoch(self) -> float:
        """Fraction of the current epoch that is done, from 0 to 1."""
        return self.step / self.steps if self.steps else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the progress as plain JSON values."""
        return {**asdict(self), "share": self.share}


def progress_of(
    run: Run,
    events: Sequence[Event],
    budget: TrainingBudget,
    heartbeat: HeartbeatRecord | None,
    now: datetime,
    *,
    held: bool = True,
) -> Progress:
    """Return the progress at ``now`` of ``run``, whose log is ``events``; ``held``: by a process."""
    progress = _progress_of(run, events, budget, heartbeat, now)
    phase = phase_of(run, events, held=held)
    if phase in {RunPhase.EVALUATING, RunPhase.SAVING}:
        progress = replace(progress, left_at_most_s=None, left_if_no_better_s=None)
    return replace(progress, phase=phase)


def _progress_of(
    run: Run,
    events: Sequence[Event],
    budget: TrainingBudget,
    heartbeat: HeartbeatRecord | None,
    now: datetime,
) -> Progress:
    done = run.history[-1]["epoch"] if run.history else 0
    improved = max((record["epoch"] for record in run.history if record["improved"]), default=0)
    patience = budget.patience
    fixed = (done, budget.epochs)
    if run.state is not RunState.RUNNING:
        return Progress(*fixed, 0, 0, done - improved, patience)
    current = heartbeat if heartbeat is not None and heartbeat.epoch == done + 1 else None
    step, steps = (current.step, current.steps) if current else (0, 0)
    signs_of_life = [events[-1].time, *([heartbeat.time] if heartbeat else [])]
    silent_s = max(0.0, min(_seconds(time, now) for time in signs_of_life))
    seconds = _seconds_per_epoch(events) or _seconds_by_steps(events, current)
    if seconds is None:
        return Progress(*fixed, step, steps, done - improved, patience, silent_s=silent_s)
    begun = step / steps if steps else 0.0
    remaining = max(0.0, budget.epochs - done - begun)
    remaining_early = remaining
    if patience is not None:
        remaining_early = min(remaining, max(0.0, patience - (done - improved) - begun))
    return Progress(
        *fixed,
        step,
        steps,
        done - improved,
        patience,
        seconds_an_epoch=seconds,
        left_at_most_s=remaining * seconds,
        left_if_no_better_s=remaining_early * seconds,
        silent_s=silent_s,
    )


def _seconds_per_epoch(events: Sequence[Event]) -> float | None:
    """Return the median time between the ends of two epochs without an interruption in between."""
    attempts: list[list[float]] = [[]]
    for event in events:
        if event.kind == "data":
            attempts.append([_reading(event)])
        elif event.kind == "epoch":
            attempts[-1].append(_reading(event))
        elif event.kind not in _BETWEEN_EPOCHS:
            attempts.append([])
    times = [after - before for ends in attempts for before, after in pairwise(ends)]
    return max(0.0, median(times[-_EPOCHS_TIMED:])) if times else None


def _reading(event: Event) -> float:
    """Return the reading of the run's meter, which no change of the clock affects, or else the time."""
    reading: float | None = event.data.get("run_seconds")
    return datetime.fromisoformat(event.time).timestamp() if reading is None else reading


def _seconds_by_steps(events: Sequence[Event], heartbeat: HeartbeatRecord | None) -> float | None:
    """Return the duration of the first epoch at the speed of its steps so far, without its validation."""
    began = [event.time for event in events if event.kind == "data"]
    if heartbeat is None or not heartbeat.step or not began:
        return None
    elapsed = max(0.0, _seconds(began[-1], datetime.fromisoformat(heartbeat.time)))
    return elapsed * heartbeat.steps / heartbeat.step


def _seconds(time: str, now: datetime) -> float:
    return (now - datetime.fromisoformat(time)).total_seconds()
