"""`events.jsonl`: the append-only log that is the truth about a run.

One event is one line of JSON with a sequence number from 1, the UTC time, a kind and its data. It is
written by one `os.write` and synced before `EventWriter.append` returns, so what was acknowledged
survives kill -9 and a power cut. A write that was cut off leaves a last line without its newline:
readers drop it, the next writer removes it. Any other damage is reported with its line number.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from pydantic_core import from_json

from movielens_recsys.errors import ExperimentError, StorageError
from movielens_recsys.files import append_durably

FILE_NAME = "events.jsonl"


class Event(NamedTuple):
    """Something that happened to a run; ``time`` is ISO 8601 in UTC, ``sequence`` orders events."""

    sequence: int
    time: str
    kind: str
    data: dict[str, Any]

    def to_line(self) -> bytes:
        """Return the event as one line of JSON with its newline; NaN and infinities become null."""
        values = {**self._asdict(), "data": _finite(self.data)}
        return json.dumps(values, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def new_event(sequence: int, kind: str, data: Mapping[str, Any]) -> Event:
    """Return an event that happens now."""
    return Event(sequence, datetime.now(UTC).isoformat(timespec="microseconds"), kind, dict(data))


def read_events(path: Path, *, without: str = "") -> list[Event]:
    """Return the events of a log, in order; a torn last line is dropped.

    Parameters
    ----------
    without
        A kind to pass over unread, for whoever reads a thousand logs.

    Raises
    ------
    ExperimentError
        The file is missing or a line before the last is damaged; the message names the line.
    """
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise ExperimentError(
            f"cannot read {path} ({exc.strerror})", next_step="restore the file or remove the run's folder"
        ) from exc
    lines = list(enumerate(content[: content.rfind(b"\n") + 1].splitlines(), start=1))
    if without:
        mark = f'"kind":"{without}","data":'.encode()  # quotes within a value would be escaped
        lines = [(number, line) for number, line in lines if mark not in line]
    return _parse(lines, path)


def _parse(lines: Sequence[tuple[int, bytes]], path: Path) -> list[Event]:
    try:  # one call for the whole file takes a third of the time of one call a line
        values = from_json(b"[" + b",".join(line for _, line in lines) + b"]")
        if len(values) != len(lines):
            raise ValueError
        events = [Event(value["sequence"], value["time"], value["kind"], value["data"]) for value in values]
    except (ValueError, TypeError, KeyError):
        events = [_parse_line(line, number, path) for number, line in lines]
    for (number, _), event in zip(lines, events, strict=True):
        if event.sequence != number:
            raise _damaged(path, number, f"carries sequence number {event.sequence}")
    return events


def _parse_line(line: bytes, number: int, path: Path) -> Event:
    try:
        return Event(**json.loads(line))
    except (ValueError, TypeError) as exc:
        raise _damaged(path, number, "is not an event") from exc


def _damaged(path: Path, number: int, what: str) -> ExperimentError:
    return ExperimentError(
        f"{path} line {number} {what}",
        expected="one JSON event a line, numbered from 1",
        next_step="restore the file from a backup or move the run's folder away",
    )


class EventWriter:
    """Appends to one log, for as long as it is this process's.

    The caller holds the run's lock. Where that does not help, because the folder was moved away or replaced
    or the file system has no locks, `ensure_owner` notices the other process.
    ``stamp`` gives what every event carries beside its own data: nothing, until it is set.
    """

    def __init__(self, path: Path) -> None:
        self.stamp: Callable[[], Mapping[str, Any]] = dict
        self.events = read_events(path)
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
            self._length = _complete_length(self._descriptor)
            os.ftruncate(self._descriptor, self._length)
        except OSError as exc:
            raise _refused(path, exc) from exc
        self._path = path

    def ensure_owner(self) -> None:
        """Refuse to go on with a log that is no longer as this process left it, or no longer in its place.

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
        """Write one event, and return it as it will be read, once it is on disk.

        Raises
        ------
        StorageError
            The disk refused; the log is as it was before.
        ExperimentError
            `ensure_owner` refuses.
        """
        self.ensure_owner()
        line = new_event(len(self.events) + 1, kind, {**data, **self.stamp()}).to_line()
        event = _parse_line(line, len(self.events) + 1, self._path)
        try:
            self._length = append_durably(self._descriptor, line, self._length)
        except OSError as exc:
            raise _refused(self._path, exc) from exc
        self.events.append(event)
        return event

    def close(self) -> None:
        """Give the file back."""
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


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value
