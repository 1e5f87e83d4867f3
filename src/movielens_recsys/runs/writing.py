"""Who runs an experiment: one process at a time, and never one that has died.

The lock of a run is an `flock` on its folder. The operating system drops it with the process that
holds it, so a run that says *running* while its lock is free has lost its process.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from movielens_recsys.errors import ExperimentError
from movielens_recsys.runs import events
from movielens_recsys.runs.events import EventWriter
from movielens_recsys.runs.run import Run
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings

LOCK_PATIENCE_S = 1.0


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


@contextmanager
def lock(path: Path, patience_s: float = LOCK_PATIENCE_S) -> Iterator[bool]:
    """Try for ``patience_s`` to lock a path, so that whoever only looks at its lock refuses nobody."""
    descriptor = os.open(path, os.O_RDONLY)
    deadline = time.monotonic() + patience_s
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    yield False
                    return
                time.sleep(0.02)
            else:
                yield True
                return
    finally:
        os.close(descriptor)


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
