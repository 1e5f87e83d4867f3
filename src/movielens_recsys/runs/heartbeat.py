"""Signs of life of a run that trains: what its machine does, and how far within the epoch it is.

A thread reads the sensors every `SECONDS_BETWEEN_READINGS` and replaces `pulse.json` in the run's folder, so
that an epoch of hours can be watched from outside. Whenever an epoch ends, the readings since the last
one are summed up in an event ``utilization``; epochs shorter than that share one.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import psutil

from movielens_recsys.runs.writing import EventWriter
from movielens_recsys.training.hardware_monitor import Sensors, device_memory_share, summarize
from movielens_recsys.training.history import EpochMetrics, TrainingCallback

FILE_NAME = "pulse.json"
SECONDS_BETWEEN_READINGS = 2.0


class HeartbeatRecord(NamedTuple):
    """One sign of life: when (ISO 8601 in UTC), ``step`` of ``steps`` in ``epoch``, and what was read."""

    time: str
    epoch: int
    step: int
    steps: int
    utilization: dict[str, float]


class Heartbeat(TrainingCallback):
    """While it is entered, a thread reads the sensors and leaves signs of life.

    The thread never touches the log, and what goes wrong in it never reaches the run.
    """

    def __init__(self, folder: Path, writer: EventWriter) -> None:
        self._path, self._writer = folder / FILE_NAME, writer
        self._position = (0, 0, 0)
        self._last: dict[str, float] = {}
        self._readings: list[dict[str, float]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def memory_share(self) -> float | None:
        """Return the share in use of the device's memory at the last reading; None before the first."""
        return device_memory_share(self._last)

    def on_step(self, epoch: int, step: int, steps: int) -> None:
        """Remember the position."""
        self._position = (epoch, step, steps)

    def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
        """Log what was read since the last time, if anything was."""
        readings, self._readings = self._readings, []
        if readings:
            self._writer.append(
                "utilization",
                {"epoch": record.epoch, "readings": len(readings), "quantities": summarize(readings)},
            )

    def _beat(self) -> None:
        with suppress(psutil.Error, OSError):  # a machine that does not let itself be read
            sensors = Sensors()
            while not self._ended.wait(SECONDS_BETWEEN_READINGS):
                self._last = sensors.read()
                self._readings.append(self._last)
                self._write(HeartbeatRecord(datetime.now(UTC).isoformat(), *self._position, self._last))

    def _write(self, beat: HeartbeatRecord) -> None:
        new = self._path.with_name(f".{FILE_NAME}")
        with suppress(OSError):
            new.write_text(json.dumps(beat._asdict()))
            os.replace(new, self._path)  # noqa: PTH105 (beside `write_atomically`, which waits for the disk)


def read_heartbeat(folder: Path) -> HeartbeatRecord | None:
    """Return the last sign of life of a run; None if it left none, or one that cannot be read."""
    try:
        values: Any = json.loads((folder / FILE_NAME).read_bytes())
        return HeartbeatRecord(**values)
    except (OSError, TypeError, ValueError):
        return None
