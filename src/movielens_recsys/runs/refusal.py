"""Refusals: why the last attempt at a run ended before anything of the run had begun.

    .recsys/runs/ID/refused.json    {"time": "2026-11-28T11:05:00+00:00", "reason": "...", "passing": true}

A refused attempt leaves no event, since the log holds what happened to the run and this did not. The file is
replaced by the next refusal and removed when the run goes on. Without it nothing is lost but the reason.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from movielens_recsys.errors import StorageError
from movielens_recsys.files import write_atomically

FILE_NAME = "refused.json"


class Refusal(NamedTuple):
    """One refused attempt: its time (ISO 8601 in UTC), the reason, and whether waiting may help."""

    time: str
    reason: str
    passing: bool


def record_refusal(folder: Path, reason: str, *, passing: bool) -> None:
    """Replace the run's refusal; a disk that refuses is ignored, as the attempt reports its error anyway."""
    refusal = Refusal(datetime.now(UTC).isoformat(timespec="seconds"), reason, passing)
    with suppress(OSError, StorageError):
        write_atomically(folder / FILE_NAME, json.dumps(refusal._asdict()).encode())


def read_refusal(folder: Path) -> Refusal | None:
    """Return the run's last refusal; None if it has gone on since, or the file cannot be read."""
    try:
        return Refusal(**json.loads((folder / FILE_NAME).read_bytes()))
    except (OSError, TypeError, ValueError):
        return None


def clear_refusal(folder: Path) -> None:
    """Forget the refusal of a run that goes on."""
    with suppress(OSError):
        (folder / FILE_NAME).unlink(missing_ok=True)
