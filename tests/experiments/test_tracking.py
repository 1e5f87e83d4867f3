import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from movielens_recsys.errors import StorageError
from movielens_recsys.experiments import locks, registry
from movielens_recsys.experiments.record import Run
from movielens_recsys.experiments.tracking import TrackingCopy, copy_runs
from movielens_recsys.settings import Settings

Finish = Callable[..., Run]


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(settings.tracking_db) as connection:
        return connection.execute(query).fetchall()


def test_a_run_is_copied_once_with_every_epoch_and_loss_apart_from_rmse(
    finish: Finish, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = finish("a", {"rmse": 0.9}, epochs=3, modifications={"training": {"epochs": 15}})
    assert copy_runs([run.id], settings) == 1
    before = rows(settings, "select key, step, value from metrics order by key, step")
    assert copy_runs([run.id], settings) == 0
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
    planned = registry.archive(finish("c").id, settings)
    assert copy_runs([run.id, other.id, planned.id], settings) == 2
    assert dict(rows(settings, "select name, status from runs"))[other.id] == "FAILED"

    dead = finish("dead", end="epoch_that_never_was")
    copy_runs([dead.id], settings)
    with locks.writing(dead.id, settings) as writer:
        registry.start(registry.load(dead.id, settings), writer, {})
    copy_runs([dead.id], settings)
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
        from movielens_recsys.experiments.tracking import copy_runs
        from movielens_recsys.settings import Settings

        print(copy_runs(sys.argv[2:], Settings(home=Path(sys.argv[1]))))
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
    assert sorted(stdout for stdout, _ in answers) == ["0\n", "2\n"]
    assert len(rows(settings, "select * from runs")) == 2
    assert len(rows(settings, "select * from experiments where name = 'movielens-recsys'")) == 1


def test_a_broken_store_costs_one_warning_and_is_caught_up_later(finish: Finish, settings: Settings) -> None:
    run = finish("a")
    settings.tracking_db.write_text("this is no database, whatever its name says" * 100)
    warnings: list[str] = []
    copy = TrackingCopy(run.id, settings, warnings.append)
    copy.refresh(now=True)
    copy.refresh(now=True)
    assert len(warnings) == 1
    assert "nothing is lost" in warnings[0]
    assert "\n" not in warnings[0]
    with pytest.raises(StorageError):
        copy_runs([run.id], settings)
    settings.tracking_db.unlink()
    assert copy_runs([run.id], settings) == 1
