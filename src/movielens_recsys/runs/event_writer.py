"""The single writer of a run's log.

The lock of a run is an `flock` on its folder. The operating system drops it with the process that
holds it, so a run in the state *running* whose lock is free has lost its process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from movielens_recsys.errors import ExperimentError, StorageError
from movielens_recsys.files import append_durably
from movielens_recsys.locks import PATIENCE_S, lock
from movielens_recsys.runs import events
from movielens_recsys.runs.events import Event, new_event, parse_line, read_events
from movielens_recsys.runs.replay import Replay
from movielens_recsys.runs.run import Run
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings


@contextmanager
def hold_run(run_id: str, settings: Settings) -> Iterator[Path]:
    """Hold the run's lock while entered; gives the run's folder.

    Raises
    ------
    ExperimentError
        Another process holds the run.
    """
    folder = settings.runs / run_id
    with lock(folder) as held:
        if not held:
            raise _held(run_id)
        yield folder


@contextmanager
def open_log(run_id: str, settings: Settings) -> Iterator[EventWriter]:
    """Hold the run's lock and open its log for appending.

    Raises
    ------
    ExperimentError
        Another process holds the run.
    """
    with hold_run(run_id, settings) as folder, EventWriter(folder / events.FILE_NAME) as writer:
        yield writer


class EventWriter:
    """Appends to one log, as long as this process owns it, and keeps the run's state while it does.

    The caller holds the run's lock. A lock does not help where the folder was moved or replaced, or where
    the file system has none; there `ensure_owner` notices the other process.

    Parameters
    ----------
    run_seconds
        Returns the reading of the run's meter, which each event then carries as ``run_seconds``.
    """

    def __init__(self, path: Path, run_seconds: Callable[[], float] | None = None) -> None:
        self._run_seconds = run_seconds
        self.events = read_events(path)
        self._replay = Replay(path.parent.name, self.events)
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
            self._length = _complete_length(self._descriptor)
            os.ftruncate(self._descriptor, self._length)
        except OSError as exc:
            raise _refused(path, exc) from exc
        self._path = path

    @property
    def run(self) -> Run:
        """The run after the last event of the log."""
        return self._replay.run

    def ensure_owner(self) -> None:
        """Refuse a log that another process has changed, moved or replaced.

        Raises
        ------
        ExperimentError
            Another process has appended to it, or it was moved, replaced or removed.
        """
        try:
            there, own = self._path.stat(), os.fstat(self._descriptor)
        except FileNotFoundError:
            there = None
        if there is None or not os.path.samestat(there, own) or own.st_size != self._length:
            raise ExperimentError(
                f"{self._path} was taken over by another process, or moved; this one leaves it alone",
                next_step="see with `recsys experiment list` who runs it now",
            )

    def append(self, kind: str, data: Mapping[str, Any]) -> Event:
        """Write one event; return it, as a reader will read it, once it is on disk.

        Raises
        ------
        StorageError
            The disk refused; the log is as it was before.
        ExperimentError
            `ensure_owner` refuses.
        """
        self.ensure_owner()
        if self._run_seconds is not None:
            data = {**data, "run_seconds": self._run_seconds()}
        line = new_event(len(self.events) + 1, kind, data).to_line()
        # Read back, so that `run` has the values that a later reader sees: JSON turns NaN into null.
        event = parse_line(line, len(self.events) + 1, self._path)
        try:
            self._length = append_durably(self._descriptor, line, self._length)
        except OSError as exc:
            raise _refused(self._path, exc) from exc
        self.events.append(event)
        self._replay.apply(event)
        return event

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _complete_length(descriptor: int) -> int:
    content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    return content.rfind(b"\n") + 1


def _refused(path: Path, exc: OSError) -> StorageError:
    return StorageError(
        f"cannot write {path} ({exc.strerror})", next_step="free space or permissions there, then try again"
    )


def is_held(run_id: str, settings: Settings, patience_s: float = PATIENCE_S) -> bool:
    """Whether a process holds the run, which it does from before it loads the data.

    With less patience, a process that only tests the lock counts too.
    """
    with lock(settings.runs / run_id, patience_s) as free:
        return not free


def is_orphaned(run: Run, settings: Settings) -> bool:
    """Whether the run's state is *running* although no process holds its lock."""
    if run.state is not RunState.RUNNING:
        return False
    with lock(settings.runs / run.id, patience_s=0) as free:
        return free


def check_free(run: Run, settings: Settings) -> None:
    """Refuse a run that another process holds, before anything is loaded for it.

    Raises
    ------
    ExperimentError
        It is running, or about to.
    """
    if is_held(run.id, settings):
        raise _held(run.id)


def _held(run_id: str) -> ExperimentError:
    return ExperimentError(
        f"experiment {run_id} is being run by another process",
        next_step=f"wait for it, or look at it with `recsys experiment show {run_id}`",
    )
