import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.example_runs import epoch_record

from movielens_recsys.errors import TrackingError
from movielens_recsys.runs import states, store, writing
from movielens_recsys.runs.run import Run
from movielens_recsys.settings import Settings
from movielens_recsys.tracking.mlflow import MLflowTracker

Finish = Callable[..., Run]


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(settings.tracking_db) as connection:
        return connection.execute(query).fetchall()


def test_a_run_is_copied_once_with_every_epoch_and_loss_apart_from_rmse(
    finish: Finish, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = finish("a", {"rmse": 0.9}, epochs=3, modifications={"training": {"epochs": 15}})
    sink = MLflowTracker(settings)
    assert sink.sync(run.id)
    before = rows(settings, "select key, step, value from metrics order by key, step")
    assert not sink.sync(run.id)
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
    planned = states.archive_run(finish("c").id, settings)
    assert [sink.sync(id) for id in (run.id, other.id, planned.id)] == [False, True, True]
    assert dict(rows(settings, "select name, status from runs"))[other.id] == "FAILED"

    dead = finish("dead", end="epoch_that_never_was")
    sink.sync(dead.id)
    with writing.open_log(dead.id, settings) as writer:
        states.start_run(store.load_run(dead.id, settings), writer, {})
    sink.sync(dead.id)
    query = f"select lifecycle_stage from runs where name = '{dead.id}' order by lifecycle_stage"
    assert rows(settings, query) == [("active",), ("deleted",)]


def test_processes_that_copy_at_once_make_one_store_and_one_copy_and_contact_nobody(
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

        sink = MLflowTracker(Settings(home=Path(sys.argv[1])))
        print(*(sink.sync(run_id) for run_id in sys.argv[2:]))
        from mlflow.telemetry.utils import is_telemetry_disabled
        assert is_telemetry_disabled()
        """
    )
    command = [sys.executable, "-c", program, str(settings.home), *(run.id for run in runs)]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    answers = [process.communicate() for process in processes]
    assert [stderr for _, stderr in answers] == ["", ""]
    copied = [stdout.split() for stdout, _ in answers]
    assert [sorted(pair) for pair in zip(*copied, strict=True)] == [["False", "True"]] * 2
    assert len(rows(settings, "select * from runs")) == 2
    assert len(rows(settings, "select * from experiments where name = 'movielens-recsys'")) == 1


def test_a_broken_store_is_told_in_a_line_and_caught_up_when_it_is_gone(
    finish: Finish, settings: Settings
) -> None:
    run = finish("a")
    settings.tracking_db.write_text("this is no database, whatever its name says" * 100)
    sink = MLflowTracker(settings)
    with pytest.raises(TrackingError, match="nothing is lost") as caught:
        sink.sync(run.id)
    assert "\n" not in str(caught.value)
    settings.tracking_db.unlink()
    assert sink.sync(run.id)
    assert not sink.sync(run.id)


def test_a_resumed_run_goes_on_in_the_same_copy(finish: Finish, settings: Settings) -> None:
    run = finish("a", end="epoch_that_never_was", epochs=2)
    sink = MLflowTracker(settings)
    sink.sync(run.id)
    before = rows(settings, "select run_uuid from runs")
    with writing.open_log(run.id, settings) as writer:
        states.start_run(store.load_run(run.id, settings), writer, {}, resume=True)
        writer.append("epoch", epoch_record(3))
    assert sink.sync(run.id)
    assert rows(settings, "select run_uuid from runs") == before
    steps = rows(settings, "select step from metrics where key = 'val_rmse' order by step")
    assert steps == [(1,), (2,), (3,)]
