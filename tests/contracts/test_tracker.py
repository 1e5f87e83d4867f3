"""What every tracker promises: one suite for all trackers, each opened by name in its worker process."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.example_runs import carry_on
from tests.tracking.conftest import CreateRun, create_run, online, wandb_server
from tests.tracking.wandb_server import WandbServer, refusing

from movielens_recsys.errors import TrackingError
from movielens_recsys.runs import event_writer, store, transitions
from movielens_recsys.settings import Settings
from movielens_recsys.tracking.names import MLFLOW, WANDB, storage_path
from movielens_recsys.tracking.processes import sync_now

__all__ = ["create_run", "online", "wandb_server"]

VAL_RMSE = {epoch: pytest.approx(1 - epoch / 1000) for epoch in range(1, 7)}


@dataclass
class TrackerCase:
    """A tracker, how a test reads the copy of a run, and how it breaks and repairs the tracker.

    ``history`` returns the validation RMSE by epoch of each live copy of a run.
    """

    name: str
    history: Callable[[str], list[dict[int, float]]]
    break_it: Callable[[], None]
    repair_it: Callable[[], None]


@pytest.fixture(params=[MLFLOW, WANDB])
def tracker(request: pytest.FixtureRequest, online: Settings, wandb_server: WandbServer) -> TrackerCase:
    """Each implementation in turn; W&B talks to a server on this machine."""

    def mlflow_history(run_id: str) -> list[dict[int, float]]:
        query = (
            "select run_uuid, step, value from metrics join runs using (run_uuid) "
            "where key = 'val_rmse' and name = ? and lifecycle_stage = 'active' order by step"
        )
        copies: dict[str, dict[int, float]] = {}
        with sqlite3.connect(online.tracking_db) as connection:
            for uuid, step, value in connection.execute(query, (run_id,)):
                assert step not in copies.setdefault(uuid, {})
                copies[uuid][step] = value
        return list(copies.values())

    def wandb_history(run_id: str) -> list[dict[int, float]]:
        keys = [key for key in wandb_server.runs if key.startswith(run_id)]
        return [wandb_server.history(key, "val_rmse") for key in keys]

    def refuse_requests() -> None:
        wandb_server.act = refusing

    def accept_requests() -> None:
        wandb_server.act = None

    if request.param == WANDB:
        return TrackerCase(WANDB, wandb_history, refuse_requests, accept_requests)
    database = online.tracking_db
    return TrackerCase(
        MLFLOW, mlflow_history, lambda: write_garbage(database), lambda: database.unlink(missing_ok=True)
    )


def write_garbage(path: Path) -> None:
    path.write_text("this is not a database" * 100)


def sync(tracker: TrackerCase, run_id: str, settings: Settings) -> int:
    return sync_now(tracker.name, [run_id], settings, print)


def test_a_synced_run_is_complete_and_a_second_sync_changes_nothing(
    tracker: TrackerCase, create_run: CreateRun, online: Settings
) -> None:
    run_id = create_run()
    carry_on(run_id, online, range(1, 4), "completed")
    assert sync(tracker, run_id, online) == 1
    before = tracker.history(run_id)
    assert before == [{epoch: VAL_RMSE[epoch] for epoch in range(1, 4)}]
    assert sync(tracker, run_id, online) == 0
    assert tracker.history(run_id) == before
    assert storage_path(tracker.name, online).is_relative_to(online.home)


def test_a_resumed_run_continues_in_the_same_copy(
    tracker: TrackerCase, create_run: CreateRun, online: Settings
) -> None:
    run_id = create_run()
    carry_on(run_id, online, range(1, 4), "stopped", reason="stopped by a signal")
    assert sync(tracker, run_id, online) == 1
    carry_on(run_id, online, range(4, 7), "completed")
    assert sync(tracker, run_id, online) == 1
    assert tracker.history(run_id) == [VAL_RMSE]


def test_a_run_that_starts_over_has_a_copy_of_its_last_start(
    tracker: TrackerCase, create_run: CreateRun, online: Settings
) -> None:
    run_id = create_run()
    carry_on(run_id, online, range(1, 3))
    with event_writer.open_log(run_id, online) as writer:
        transitions.start_run(store.load_run(run_id, online), writer, {})
    carry_on(run_id, online, range(1, 2), "completed")
    sync(tracker, run_id, online)
    assert tracker.history(run_id) == [{1: VAL_RMSE[1]}]


def test_a_failed_sync_raises_one_line_and_the_next_one_catches_up(
    tracker: TrackerCase, create_run: CreateRun, online: Settings
) -> None:
    run_id = create_run()
    carry_on(run_id, online, range(1, 3), "completed")
    tracker.break_it()
    with pytest.raises(TrackingError, match="nothing is lost") as caught:
        sync(tracker, run_id, online)
    assert "\n" not in str(caught.value)
    tracker.repair_it()
    assert sync(tracker, run_id, online) == 1
    assert tracker.history(run_id) == [{epoch: VAL_RMSE[epoch] for epoch in range(1, 3)}]
