"""Heartbeats of a run that trains: readings of the hardware, and the position within the epoch.

A thread reads the sensors every `SECONDS_BETWEEN_READINGS` and replaces `pulse.json` in the run's folder, so
that an epoch of hours can be watched from outside. At the end of an epoch, the readings since the last
event are summarised in an event ``utilization``; an epoch too short for a reading has none.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import psutil

from movielens_recsys.runs.event_writer import EventWriter
from movielens_recsys.runs.threads import StoppableThread, Wait
from movielens_recsys.training.hardware_monitor import Sensors, device_memory_share, summarize
from movielens_recsys.training.history import EpochMetrics, TrainingCallback

FILE_NAME = "pulse.json"
SECONDS_BETWEEN_READINGS = 2.0


class HeartbeatRecord(NamedTuple):
    """One heartbeat: its time (ISO 8601 in UTC), ``step`` of ``steps`` in ``epoch``, and the readings."""

    time: str
    epoch: int
    step: int
    steps: int
    utilization: dict[str, float]


class Heartbeat(TrainingCallback):
    """While entered, a thread reads the sensors and writes heartbeats.

    The thread never touches the log, and its errors never reach the run.
    """

    def __init__(self, folder: Path, writer: EventWriter) -> None:
        self._path, self._writer = folder / FILE_NAME, writer
        self._position = (0, 0, 0)
        self._last: dict[str, float] = {}
        self._readings: list[dict[str, float]] = []
        self._thread = StoppableThread("heartbeat", self._read_sensors)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.stop()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def memory_share(self) -> float | None:
        """Return the fraction of the device's memory in use at the last reading; None before the first."""
        return device_memory_share(self._last)

    def on_step(self, epoch: int, step: int, steps: int) -> None:
        """Remember the position."""
        self._position = (epoch, step, steps)

    def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
        """Log the readings since the last event, if there are any."""
        readings, self._readings = self._readings, []
        if readings:
            self._writer.append(
                "utilization",
                {"epoch": record.epoch, "readings": len(readings), "quantities": summarize(readings)},
            )

    def _read_sensors(self, wait: Wait) -> None:
        with suppress(psutil.Error, OSError):  # a machine whose sensors cannot be read
            sensors = Sensors()
            while not wait(SECONDS_BETWEEN_READINGS):
                self._last = sensors.read()
                self._readings.append(self._last)
                self._write(HeartbeatRecord(datetime.now(UTC).isoformat(), *self._position, self._last))

    def _write(self, record: HeartbeatRecord) -> None:
        new = self._path.with_name(f".{FILE_NAME}")
        with suppress(OSError):
            new.write_text(json.dumps(record._asdict()))
            os.replace(new, self._path)  # noqa: PTH105 (not `write_atomically`, which waits for the disk)


def read_heartbeat(folder: Path) -> HeartbeatRecord | None:
    """Return the last heartbeat of a run; None if there is none, or one that cannot be read."""
    try:
        values: Any = json.loads((folder / FILE_NAME).read_bytes())
        return HeartbeatRecord(**values)
    except (OSError, TypeError, ValueError):
        return None
