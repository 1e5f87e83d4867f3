"""The meter of a run: the seconds that processes have worked on it, over all its attempts.

    .recsys/runs/ID/meter.json      {"seconds": 5025.2, "crc32": "1a2b3c4d"}

Every event that a run logs while it goes carries the reading, as ``run_seconds``. Between events a thread
replaces the file once in `INTERVAL_S`, so that whatever kills the process takes no more than that with it.
Only a monotonic clock is asked: setting the machine's clock changes nothing. Time in which no process works
on the run does not count.
"""

from __future__ import annotations

import json
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from movielens_recsys.errors import StorageError
from movielens_recsys.files import write_durably
from movielens_recsys.runs.run import Run

FILE_NAME = "meter.json"
INTERVAL_S = 0.5


class RuntimeMeter:
    """Counts from when it is made, and keeps its file while it is entered.

    Parameters
    ----------
    folder
        The run's; the caller holds the run's lock.
    before
        What earlier attempts had spent, in seconds.
    clock
        Returns seconds that never run backwards.
    warn
        Receives one line if the disk refuses a reading later on; counting goes on.
    """

    def __init__(
        self,
        folder: Path,
        before: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        warn: Callable[[str], None] = lambda message: None,
    ) -> None:
        self._path, self._before, self._clock, self._warn = folder / FILE_NAME, before, clock, warn
        self._began = clock()
        self._left = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="meter", daemon=True)

    @property
    def seconds(self) -> float:
        """Seconds of all attempts."""
        return self._before + self._clock() - self._began

    def __enter__(self) -> Self:
        """Write the first reading.

        Raises
        ------
        StorageError
            The disk refuses it: spending that cannot be kept must not begin.
        """
        self._write()
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._keeper.join()
        with suppress(StorageError):  # the event that ends the attempt has the reading too
            self._write()

    def _keep(self) -> None:
        warned = False
        while not self._left.wait(INTERVAL_S):
            try:
                self._write()
            except StorageError as exc:
                if not warned:
                    self._warn(f"what this run spends is kept by its log alone: {exc}")
                warned = True

    def _write(self) -> None:
        """Replace the file; a folder that was moved away is not made again."""
        seconds = round(self.seconds, 3)
        values = {"seconds": seconds, "crc32": _checksum(seconds)}
        new = self._path.with_name(f".{FILE_NAME}")
        try:
            write_durably(new, f"{json.dumps(values)}\n".encode())
            new.replace(self._path)
        except OSError as exc:
            raise StorageError(
                f"cannot write {self._path} ({exc.strerror})", next_step="free space or permissions there"
            ) from exc


def seconds_of(run: Run, folder: Path, warn: Callable[[str], None] = lambda message: None) -> float:
    """Return the seconds of all attempts, with what its log misses of one that was killed.

    A meter that is missing or damaged is said to ``warn``; the last reading in the log then counts.
    """
    if run.attempts == 0:
        return 0.0
    path = folder / FILE_NAME
    try:
        values = json.loads(path.read_bytes())
        seconds = float(values["seconds"])
        if values["crc32"] != _checksum(seconds):
            raise ValueError("its checksum does not match")
    except (OSError, ValueError, KeyError, TypeError) as exc:
        warn(f"{path} cannot be used ({exc}): {run.seconds:.1f} s spent so far, by the last event in the log")
        return run.seconds
    return max(run.seconds, seconds)


def _checksum(seconds: float) -> str:
    return f"{zlib.crc32(repr(seconds).encode()):08x}"
