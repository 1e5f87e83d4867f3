"""`events.jsonl`: the append-only log from which a run's state is derived.

One event is one line of JSON with a sequence number from 1, the UTC time, a kind and its data. It is
written by one `os.write` and synced before `writing.EventWriter.append` returns, so an acknowledged event
survives kill -9 and a power cut. A write that was cut off leaves a last line without its newline:
readers drop it, the next writer removes it. Any other damage is reported with its line number.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import from_json

from movielens_recsys.errors import ExperimentError

FILE_NAME = "events.jsonl"


class Event(NamedTuple):
    """One event of a run; ``time`` is ISO 8601 in UTC, ``sequence`` orders events."""

    sequence: int
    time: str
    kind: str
    data: dict[str, Any]

    def to_line(self) -> bytes:
        """Return the event as one line of JSON with its newline; NaN and infinities become null."""
        values = {**self._asdict(), "data": _finite(self.data)}
        return json.dumps(values, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def new_event(sequence: int, kind: str, data: Mapping[str, Any]) -> Event:
    """Return an event with the present time."""
    return Event(sequence, datetime.now(UTC).isoformat(timespec="microseconds"), kind, dict(data))


def read_events(path: Path, *, without: str = "") -> list[Event]:
    """Return the events of a log, in order; a torn last line is dropped.

    Parameters
    ----------
    without
        A kind of event to skip without parsing it, which is faster for a thousand logs.

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
        events = [parse_line(line, number, path) for number, line in lines]
    for (number, _), event in zip(lines, events, strict=True):
        if event.sequence != number:
            raise _damaged(path, number, f"carries sequence number {event.sequence}")
    return events


def parse_line(line: bytes, number: int, path: Path) -> Event:
    """Return the event on one line of a log; an `ExperimentError` names the line if it is none."""
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


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value
