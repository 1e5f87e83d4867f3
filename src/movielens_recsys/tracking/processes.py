"""Starting the processes that sync runs to trackers (`worker`): while a run goes on, or once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from movielens_recsys.errors import TrackingError, TrainingStopped
from movielens_recsys.runs.store import load_config
from movielens_recsys.settings import Settings
from movielens_recsys.tracking.names import trackers_for

DELAY_S = 120.0
"""Loading the libraries takes seconds of CPU time: about 2 % of a run of this length."""
GRACE_S = 60.0
"""W&B gives up earlier by itself; a busy machine needs long to load MLflow."""

OnReport = Callable[[str, Any], None]


class TrackerProcesses:
    """Context manager: inside it, one process per tracker of the run syncs the run's log.

    They begin when the run has lasted ``delay_s``, or has ended. The run never waits for them, except up to
    ``grace_s`` at its end. A run that is stopped by a signal does not wait even then: the processes complete
    their sync without it. What is missing is synced by the next resumption, or by ``recsys experiment sync``.

    Parameters
    ----------
    warn
        Receives one line for each tracker whose sync failed, and the notices of the others.
    """

    def __init__(
        self,
        run_id: str,
        settings: Settings,
        warn: Callable[[str], None],
        *,
        delay_s: float = DELAY_S,
        grace_s: float = GRACE_S,
    ) -> None:
        self._run_id, self._settings, self._warn = run_id, settings, warn
        self._delay_s, self._grace_s = delay_s, grace_s
        self._processes: list[_TrackerProcess] = []

    def __enter__(self) -> Self:
        ids = [self._run_id]
        for name in trackers_for(load_config(self._run_id, self._settings), self._settings):
            try:
                self._processes.append(
                    _TrackerProcess(name, ids, self._settings, self._on_report, self._delay_s)
                )
            except OSError as exc:
                self._warn(f"the run is not synced to {name} ({exc.strerror}); later: {self._sync_command}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.close_input()
        if isinstance(value, TrainingStopped | KeyboardInterrupt):
            return
        deadline = time.monotonic() + self._grace_s
        for process in self._processes:
            if not process.wait(max(0.0, deadline - time.monotonic())) and not process.warned:
                self._warn(f"the sync to {process.name} is not complete; later: {self._sync_command}")

    @property
    def _sync_command(self) -> str:
        return f"recsys experiment sync {self._run_id}"

    def _on_report(self, key: str, value: Any) -> None:
        if key in {"warning", "notice"}:
            self._warn(str(value))


def sync_now(name: str, run_ids: Sequence[str], settings: Settings, warn: Callable[[str], None]) -> int:
    """Sync runs to a tracker, wait for it, and return how many of them had something new.

    Raises
    ------
    TrackingError
        Not everything could be synced; nothing is lost.
    """
    reports: dict[str, Any] = {}
    try:
        process = _TrackerProcess(name, run_ids, settings, reports.__setitem__)
    except OSError as exc:
        raise TrackingError(f"cannot sync to {name} ({exc.strerror})") from exc
    try:
        process.close_input()
        complete = process.wait(None)
    finally:
        process.kill()
    if "notice" in reports:
        warn(reports["notice"])
    if not complete or "synced" not in reports:
        raise TrackingError(reports.get("warning") or f"the sync to {name} ended without a report")
    return int(reports["synced"])


class _TrackerProcess:
    """A process that syncs to one tracker, and a thread that reads its reports."""

    def __init__(
        self, name: str, run_ids: Sequence[str], settings: Settings, on_report: OnReport, delay_s: float = 0.0
    ) -> None:
        self.name = name
        self.warned = False
        self._on_report = on_report
        module = "movielens_recsys.tracking.worker"
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, name, str(delay_s), str(settings.home.resolve()), *run_ids],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C does not reach it; in the same session it yields to the training
        )
        self._listener = threading.Thread(target=self._listen, name=f"sync to {name}", daemon=True)
        self._listener.start()

    def close_input(self) -> None:
        """Close its standard input: the log is complete."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def wait(self, patience_s: float | None) -> bool:
        """Return whether it synced everything in time; it is killed if not."""
        try:
            complete = self._process.wait(patience_s) == 0
        except subprocess.TimeoutExpired:
            self.kill()
            complete = False
        self._listener.join()
        return complete

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines, suppress(ValueError):  # `kill` may cut off the last line
            for line in lines:
                for key, value in json.loads(line).items():
                    self.warned = self.warned or key == "warning"
                    self._on_report(key, value)
        self._process.wait()
