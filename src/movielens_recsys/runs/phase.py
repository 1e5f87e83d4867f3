"""`RunPhase`: what a run that is held by a process is doing now, as its log shows it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from movielens_recsys.runs.events import Event
from movielens_recsys.runs.run import Run
from movielens_recsys.schema import RunState

_STARTS = ("started", "resumed")


class RunPhase(StrEnum):
    """What a run is doing."""

    LOADING = "loading"
    TRAINING = "training"
    EVALUATING = "evaluating"
    SAVING = "saving"


def phase_of(run: Run, events: Sequence[Event], *, held: bool) -> RunPhase | None:
    """Return the phase of a run; None for one that no process works on.

    Parameters
    ----------
    held
        Whether a process holds the run. It loads the data before it logs the start.
    """
    if not held or run.state.finished:
        return None
    if run.state is not RunState.RUNNING:
        return RunPhase.LOADING
    kinds = [event.kind for event in events]
    start = max(position for position, kind in enumerate(kinds) if kind in _STARTS)
    if "data" not in kinds[start:]:
        return RunPhase.LOADING
    if "gate" in kinds[start:]:
        return RunPhase.SAVING
    first_start = max(position for position, kind in enumerate(kinds) if kind == "started")
    return RunPhase.EVALUATING if "fitted" in kinds[first_start:] else RunPhase.TRAINING
