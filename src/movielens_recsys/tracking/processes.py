"""Starting the processes that feed the sinks (`follow`): for as long as a run goes on, or once."""

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
from movielens_recsys.tracking.tracker import trackers_for

DELAY_S = 120.0
"""Loading the libraries takes seconds of a processor: 2 % of a run that shares its processors with them."""
GRACE_S = 60.0
"""W&B gives up sooner by itself; a machine that is busy takes long to load MLflow."""

Hear = Callable[[str, Any], None]


class TrackerProcesses:
    """While it is entered, the sinks that a run asks for follow its log.

    They begin when the run has lasted ``delay_s``, or has ended. The run never waits for one, except up to
    ``grace_s`` at its end. A run that was told to stop does not even then: its copies are completed without
    it. What has not arrived is copied by the next resumption, or by ``recsys experiment sync``.

    Parameters
    ----------
    warn
        Receives one line for each sink whose copy failed, and what is to be known of the others.
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
        self._followers: list[_TrackerProcess] = []

    def __enter__(self) -> Self:
        ids = [self._run_id]
        for name in trackers_for(load_config(self._run_id, self._settings)):
            try:
                self._followers.append(_TrackerProcess(name, ids, self._settings, self._hear, self._delay_s))
            except OSError as exc:
                self._warn(f"nothing is copied to {name} ({exc.strerror}); later: {self._later}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for follower in self._followers:
            follower.let_end()
        if isinstance(value, TrainingStopped | KeyboardInterrupt):
            return
        deadline = time.monotonic() + self._grace_s
        for follower in self._followers:
            if not follower.wait(max(0.0, deadline - time.monotonic())) and not follower.warned:
                self._warn(f"the copy to {follower.name} is not complete; later: {self._later}")

    @property
    def _later(self) -> str:
        return f"recsys experiment sync {self._run_id}"

    def _hear(self, key: str, value: Any) -> None:
        if key in {"warning", "notice"}:
            self._warn(str(value))


def sync_now(name: str, run_ids: Sequence[str], settings: Settings, warn: Callable[[str], None]) -> int:
    """Bring a sink's copies of runs up to date, and return how many of them had something new.

    Raises
    ------
    TrackingError
        Not all of it could be copied; nothing is lost.
    """
    heard: dict[str, Any] = {}
    try:
        follower = _TrackerProcess(name, run_ids, settings, heard.__setitem__)
    except OSError as exc:
        raise TrackingError(f"nothing can be copied to {name} ({exc.strerror})") from exc
    try:
        follower.let_end()
        complete = follower.wait(None)
    finally:
        follower.kill()
    if "notice" in heard:
        warn(heard["notice"])
    if not complete or "copied" not in heard:
        raise TrackingError(heard.get("warning") or f"the copy to {name} ended without a word")
    return int(heard["copied"])


class _TrackerProcess:
    """A process that feeds one sink, and a thread that hears what it says."""

    def __init__(
        self, name: str, run_ids: Sequence[str], settings: Settings, hear: Hear, delay_s: float = 0.0
    ) -> None:
        self.name = name
        self.warned = False
        self._hear = hear
        module = "movielens_recsys.tracking.worker"
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, name, str(delay_s), str(settings.home.resolve()), *run_ids],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C is not for it; in the session it yields to the training
        )
        self._listener = threading.Thread(target=self._listen, name=f"copies to {name}", daemon=True)
        self._listener.start()

    def let_end(self) -> None:
        """Tell it that the log is complete."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def wait(self, patience_s: float | None) -> bool:
        """Return whether it copied everything in time; it is ended if not."""
        try:
            complete = self._process.wait(patience_s) == 0
        except subprocess.TimeoutExpired:
            self.kill()
            complete = False
        self._listener.join()
        return complete

    def kill(self) -> None:
        """End it, wherever it hangs."""
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines, suppress(ValueError):  # a line cut off by `kill` is the last
            for line in lines:
                for key, value in json.loads(line).items():
                    self.warned = self.warned or key == "warning"
                    self._hear(key, value)
        self._process.wait()
