"""Who runs an experiment: one process at a time, and never one that has died.

The lock of a run is an `flock` on its folder. The operating system drops it with the process that
holds it, so a run that says *running* while its lock is free has lost its process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from movielens_recsys.errors import ExperimentError
from movielens_recsys.locks import lock
from movielens_recsys.runs import events
from movielens_recsys.runs.events import EventWriter
from movielens_recsys.runs.run import Run
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings


@contextmanager
def open_log(run_id: str, settings: Settings) -> Iterator[EventWriter]:
    """Hold the run's lock and give its log for appending; one process at a time gets this far.

    Raises
    ------
    ExperimentError
        Another process holds the run.
    """
    folder = settings.runs / run_id
    with lock(folder) as held:
        if not held:
            raise _held(run_id)
        with EventWriter(folder / events.FILE_NAME) as writer:
            yield writer


def is_orphaned(run: Run, settings: Settings) -> bool:
    """Whether the run says that it is running although nobody holds its lock."""
    if run.state is not RunState.RUNNING:
        return False
    with lock(settings.runs / run.id, patience_s=0) as free:
        return free


def check_free(run: Run, settings: Settings) -> None:
    """Refuse a run that another process holds, before anything is loaded for it.

    Raises
    ------
    ExperimentError
        It is running.
    """
    if run.state is RunState.RUNNING and not is_orphaned(run, settings):
        raise _held(run.id)


def _held(run_id: str) -> ExperimentError:
    return ExperimentError(
        f"experiment {run_id} is being run by another process",
        next_step=f"wait for it, or look at it with `recsys experiment show {run_id}`",
    )
