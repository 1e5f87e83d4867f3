"""The copy of a run in MLflow's SQLite store."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from tests.example_runs import carry_on

from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import event_writer, store, transitions
from movielens_recsys.runs.run import Run
from movielens_recsys.settings import Settings
from movielens_recsys.tracking.mlflow import MLflowTracker

Finish = Callable[..., Run]


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(settings.tracking_db) as connection:
        return connection.execute(query).fetchall()


def test_a_run_is_stored_with_every_epoch_and_loss_separate_from_rmse(
    finish: Finish, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = finish("a", {"rmse": 0.9}, epochs=3, modifications={"training": {"epochs": 15}})
    tracker = MLflowTracker(settings)
    assert tracker.sync(run.id)
    before = rows(settings, "select key, step, value from metrics order by key, step")
    assert not tracker.sync(run.id)
    assert not MLflowTracker(settings).sync(run.id)
    assert rows(settings, "select key, step, value from metrics order by key, step") == before
    history = {(key, step): value for key, step, value in before}
    assert history["val_rmse", 3] == pytest.approx(0.997)
    assert history["val_loss", 1] == pytest.approx(0.999**2 + 0.001)
    assert history["evaluation/test_rmse", 0] == 0.9
    assert len([key for key, _ in history if key == "val_rmse"]) == 3
    assert rows(settings, "select name, status from runs") == [(run.id, "FINISHED")]
    assert rows(settings, "select value from params where key = 'training.epochs'") == [("15",)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]

    other = finish("b", end="failed")
    planned = transitions.archive_run(finish("c").id, settings)
    assert [tracker.sync(id) for id in (run.id, other.id, planned.id)] == [False, True, True]
    assert dict(rows(settings, "select name, status from runs"))[other.id] == "FAILED"

    restarted = finish("restarted", end="unknown_event")
    tracker.sync(restarted.id)
    with event_writer.open_log(restarted.id, settings) as writer:
        transitions.start_run(store.load_run(restarted.id, settings), writer, {})
    tracker.sync(restarted.id)
    query = f"select lifecycle_stage from runs where name = '{restarted.id}' order by lifecycle_stage"
    assert rows(settings, query) == [("active",), ("deleted",)]


def test_concurrent_processes_create_one_store_and_one_copy_without_network(
    finish: Finish, settings: Settings
) -> None:
    runs = [finish(f"r{number}") for number in range(2)]
    program = textwrap.dedent(
        """
        import os, socket, sys
        from pathlib import Path

        def refuse(*_: object) -> None:
            print("a connection was tried")

        socket.socket.connect = socket.getaddrinfo = refuse
        for name in ("CI", "GITHUB_ACTIONS", "PYTEST_CURRENT_TEST"):
            os.environ.pop(name, None)
        from movielens_recsys.tracking.mlflow import MLflowTracker
        from movielens_recsys.settings import Settings

        tracker = MLflowTracker(Settings(home=Path(sys.argv[1])))
        print(*(tracker.sync(run_id) for run_id in sys.argv[2:]))
        from mlflow.telemetry.utils import is_telemetry_disabled
        assert is_telemetry_disabled()
        """
    )
    command = [sys.executable, "-c", program, str(settings.home), *(run.id for run in runs)]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    outputs = [process.communicate() for process in processes]
    assert [stderr for _, stderr in outputs] == ["", ""]
    synced = [stdout.split() for stdout, _ in outputs]
    assert [sorted(pair) for pair in zip(*synced, strict=True)] == [["False", "True"]] * 2
    assert len(rows(settings, "select * from runs")) == 2
    assert len(rows(settings, "select * from experiments where name = 'movielens-recsys'")) == 1


def test_another_store_that_the_environment_names_is_said_not_to_be_used(settings: Settings) -> None:
    elsewhere = settings.model_copy(update={"mlflow_tracking_uri": "http://mlflow.example.org"})
    own = settings.model_copy(update={"mlflow_tracking_uri": f"sqlite:///{settings.tracking_db}"})
    assert "MLFLOW_TRACKING_URI is not used" in MLflowTracker(elsewhere).notice
    assert (MLflowTracker(own).notice, MLflowTracker(settings).notice) == ("", "")


def test_the_copy_of_a_planned_run_gives_way_to_one_that_begins_with_its_start(
    settings: Settings, empty_store: Path
) -> None:
    settings.home.mkdir()
    shutil.copy(empty_store, settings.tracking_db)
    planned = store.create_run(config_from_template("quickstart", "a"), settings)
    tracker = MLflowTracker(settings)
    tracker.sync(planned.id)
    carry_on(planned.id, settings, range(1, 3), "completed")
    tracker.sync(planned.id)
    ((name, began, ended),) = rows(
        settings, "select name, start_time, end_time from runs where lifecycle_stage = 'active'"
    )
    run = store.load_run(planned.id, settings)
    times = [datetime.fromisoformat(time).timestamp() for time in (run.started, run.ended)]
    assert (name, began, ended) == (planned.id, *(round(1000 * time) for time in times))
