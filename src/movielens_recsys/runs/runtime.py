"""Runtime of a run: the seconds that processes have worked on it, over all its attempts.

    .recsys/runs/ID/meter.json      {"seconds": 5025.2, "crc32": "1a2b3c4d"}

Every event of a run under way carries the reading, as ``run_seconds``. Between events a thread
replaces the file every `INTERVAL_S`, so that a kill loses no more time than that. The clock is monotonic:
setting the machine's clock changes nothing. Time in which no process works on the run does not count.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from movielens_recsys.errors import StorageError
from movielens_recsys.files import write_durably
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.threads import StoppableThread, Wait

FILE_NAME = "meter.json"
INTERVAL_S = 0.5


class RuntimeMeter:
    """Counts from its construction, and keeps its file while entered.

    Parameters
    ----------
    folder
        The run's; the caller holds the run's lock.
    before
        Seconds of earlier attempts.
    clock
        Returns seconds that never run backwards.
    warn
        Receives one line if the disk refuses a later reading; counting continues.
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
        self._thread = StoppableThread("runtime", self._keep_file)

    @property
    def seconds(self) -> float:
        """Seconds of all attempts."""
        return self._before + self._clock() - self._began

    def __enter__(self) -> Self:
        """Write the first reading.

        Raises
        ------
        StorageError
            The disk refuses it: a run whose cost cannot be recorded must not begin.
        """
        self._write()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.stop()
        with suppress(StorageError):  # the event that ends the attempt has the reading too
            self._write()

    def _keep_file(self, wait: Wait) -> None:
        warned = False
        while not wait(INTERVAL_S):
            try:
                self._write()
            except StorageError as exc:
                if not warned:
                    self._warn(f"the runtime of this run is kept by its log alone: {exc}")
                warned = True

    def _write(self) -> None:
        """Replace the file; a folder that was moved away is not created again."""
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
    """Return the seconds of all attempts, with those of a killed attempt that its log misses.

    ``warn`` receives a line if the file is missing or damaged; the last reading in the log then counts.
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
