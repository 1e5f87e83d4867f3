"""How far a run was synced survives, for one process at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from movielens_recsys.errors import TrackingError
from movielens_recsys.tracking.wandb_state import FILE_NAME, SyncLock, SyncState


def test_the_state_is_read_again_by_the_next_lock(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    first = SyncLock(path)
    assert first.state == SyncState()
    first.write(SyncState("demo", 17, "online"))
    first.write(SyncState("demo", 9, "offline"))
    first.close()
    second = SyncLock(path)
    assert second.state == SyncState("demo", 9, "offline")
    second.close()


def test_two_processes_do_not_sync_one_run(tmp_path: Path) -> None:
    held = SyncLock(tmp_path / FILE_NAME)
    with pytest.raises(TrackingError, match=f"another process syncs {tmp_path.name}"):
        SyncLock(tmp_path / FILE_NAME)
    held.close()
    SyncLock(tmp_path / FILE_NAME).close()


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"key": "a", "other": 1}', "null"])
def test_a_torn_record_counts_as_none(content: str, tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_text(content)
    lock = SyncLock(path)
    assert lock.state == SyncState()
    lock.close()


def test_a_folder_that_is_not_there_is_a_tracking_error(tmp_path: Path) -> None:
    with pytest.raises(TrackingError, match="cannot write"):
        SyncLock(tmp_path / "gone" / FILE_NAME)
