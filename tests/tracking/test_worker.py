"""The last sync of a worker, in this process; test_processes.py starts workers as processes."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from tests.example_runs import Finish

from movielens_recsys.errors import TrackingError
from movielens_recsys.settings import Settings
from movielens_recsys.tracking.names import MLFLOW
from movielens_recsys.tracking.worker import sync_until_ended

Reports = list[tuple[str, object]]


@pytest.fixture
def reports() -> Reports:
    return []


def ended() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


def sync(run_ids: list[str], settings: Settings, end: threading.Event, reports: Reports) -> bool:
    return sync_until_ended(MLFLOW, run_ids, settings, 0.0, end, lambda *report: reports.append(report))


def test_runs_that_ended_are_synced_once(
    finish: Finish, settings: Settings, empty_store: Path, reports: Reports
) -> None:
    runs = [finish(name).id for name in ("a", "b")]
    shutil.copy(empty_store, settings.tracking_db)
    assert sync(runs, settings, ended(), reports)
    assert sync(runs, settings, ended(), reports)
    assert reports == [("synced", 2), ("synced", 0)]


def test_a_failure_after_the_end_is_reported_and_not_retried(
    finish: Finish, settings: Settings, reports: Reports
) -> None:
    run = finish("a")
    settings.tracking_db.write_text("this is not a database" * 100)
    assert not sync([run.id], settings, ended(), reports)
    ((kind, text),) = reports
    assert kind == "warning"
    assert "\n" not in str(text)


class _Flaky:
    """A tracker whose first sync fails while the run ends."""

    notice = ""

    def __init__(self, end: threading.Event) -> None:
        self._end, self.n_syncs, self.closed = end, 0, False

    def sync(self, run_id: str) -> bool:
        self.n_syncs += 1
        if self.n_syncs == 1:
            self._end.set()
            raise TrackingError("not now")
        return True

    def close(self) -> None:
        self.closed = True


def test_a_run_that_ends_during_a_failed_sync_is_synced_once_more(
    settings: Settings, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = threading.Event()
    tracker = _Flaky(end)
    monkeypatch.setattr("movielens_recsys.tracking.worker.open_tracker", lambda name, settings: tracker)
    assert sync(["a"], settings, end, reports)
    assert reports == [("warning", "not now"), ("synced", 1)]
    assert tracker.closed
