"""`wandb.json` in a run's folder: how far the run was synced to W&B, and the lock of that sync."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from movielens_recsys.errors import TrackingError
from movielens_recsys.files import overwrite_durably
from movielens_recsys.locks import acquire

FILE_NAME = "wandb.json"


class SyncState(NamedTuple):
    """Which copy is complete, up to which event, and whether it is online or offline."""

    key: str = ""
    sequence: int = 0
    mode: str = ""


class SyncLock:
    """The sync state of a run, in a file that one process at a time holds.

    Raises
    ------
    TrackingError
        Another process syncs the run, or the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as exc:
            raise TrackingError(f"cannot write {path} ({exc.strerror})") from exc
        if not acquire(self._descriptor, patience_s=0):
            self.close()
            raise TrackingError(
                f"another process syncs {path.parent.name} to W&B", next_step="let that one finish"
            )
        try:
            self.state = SyncState(**json.loads(path.read_bytes()))
        except (OSError, TypeError, ValueError):
            self.state = SyncState()

    def write(self, state: SyncState) -> None:
        """Record what is complete; a record that is torn counts as none, and everything is synced again."""
        overwrite_durably(self._descriptor, json.dumps(state._asdict()).encode())

    def close(self) -> None:
        """Let another process sync the run."""
        os.close(self._descriptor)
