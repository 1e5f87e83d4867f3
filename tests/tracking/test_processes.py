"""Syncing while a run goes on, by processes that may be slow, hang, be killed or fail to start."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from tests.example_runs import carry_on
from tests.tracking.conftest import KEY, CreateRun
from tests.tracking.wandb_server import Act, Handler, WandbServer, failing, hanging, refusing

from movielens_recsys.errors import TrackingError, TrainingStopped
from movielens_recsys.settings import Settings
from movielens_recsys.tracking.names import WANDB
from movielens_recsys.tracking.processes import TrackerProcesses, sync_now


def epochs_in_mlflow(settings: Settings) -> int:
    with sqlite3.connect(settings.tracking_db) as connection:
        query = "select count(*) from metrics where key = 'val_rmse'"
        return int(connection.execute(query).fetchone()[0])


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_both_trackers_are_complete_when_the_run_has_ended(
    create_run: CreateRun, online: Settings, wandb_server: WandbServer
) -> None:
    run_id = create_run()
    warnings: list[str] = []
    with TrackerProcesses(run_id, online, warnings.append):
        carry_on(run_id, online, range(1, 6), "completed")
    assert warnings == []
    assert epochs_in_mlflow(online) == 5
    assert len(wandb_server.history(run_id, "val_rmse")) == 5


@pytest.mark.parametrize("act", [refusing, hanging], ids=lambda act: act.__name__)
def test_a_failing_server_causes_a_warning_and_is_synced_after_its_recovery(
    act: Act, create_run: CreateRun, online: Settings, wandb_server: WandbServer
) -> None:
    run_id = create_run()
    warnings: list[str] = []
    wandb_server.act = act
    carry_on(run_id, online, range(1, 3))
    with TrackerProcesses(run_id, online, warnings.append, delay_s=0, grace_s=0.5):
        wait_until(lambda: bool(warnings if act is refusing else wandb_server.requests))
        carry_on(run_id, online, range(3, 4), "completed")
    (warning,) = [line for line in warnings if "W&B" in line]
    assert "recsys experiment sync" in warning
    assert KEY not in warning
    wandb_server.act = None
    assert sync_now(WANDB, [run_id], online, warnings.append) == 1
    assert len(wandb_server.history(run_id, "val_rmse")) == 3


def test_a_server_that_fails_during_the_run_receives_the_rest_later(
    create_run: CreateRun, online: Settings, wandb_server: WandbServer
) -> None:
    run_id = create_run()
    warnings: list[str] = []
    carry_on(run_id, online, range(1, 4))
    with TrackerProcesses(run_id, online, warnings.append, delay_s=0, grace_s=2):
        wait_until(lambda: run_id in wandb_server.runs)
        wandb_server.act = failing
        carry_on(run_id, online, range(4, 6), "completed")
    assert len([line for line in warnings if "W&B" in line]) == 1
    wandb_server.act = None
    sync_now(WANDB, [run_id], online, warnings.append)
    assert len(wandb_server.history(run_id, "val_rmse")) == 5


def test_a_stopped_run_does_not_wait_and_its_sync_is_completed_without_it(
    create_run: CreateRun, online: Settings, wandb_server: WandbServer
) -> None:
    run_id = create_run()
    requested, resume = threading.Event(), threading.Event()

    def slow(handler: Handler) -> None:
        requested.set()
        resume.wait(30)
        wandb_server.act = None
        handler.reply_normally()

    wandb_server.act = slow
    with suppress(TrainingStopped), TrackerProcesses(run_id, online, print, delay_s=0):
        carry_on(run_id, online, range(1, 3))
        requested.wait(30)
        raise TrainingStopped("stopped by a signal")
    assert wandb_server.runs == {}
    resume.set()
    wait_until(lambda: run_id in wandb_server.runs and len(wandb_server.history(run_id, "val_rmse")) == 2)
    wait_until(lambda: epochs_in_mlflow(online) == 2)


def test_the_sync_of_a_killed_run_is_completed(create_run: CreateRun, settings: Settings) -> None:
    run_id = create_run(None)
    program = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from tests.example_runs import carry_on
        from movielens_recsys.tracking.processes import TrackerProcesses
        from movielens_recsys.settings import Settings

        settings = Settings(home=Path(sys.argv[2]))
        with TrackerProcesses(sys.argv[1], settings, print):
            carry_on(sys.argv[1], settings, range(1, 8))
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join([str(root), str(root / "src")])
    command = [sys.executable, "-c", program, run_id, str(settings.home)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=False)
    assert done.returncode == -signal.SIGKILL
    wait_until(lambda: epochs_in_mlflow(settings) == 7)


def test_a_missing_wandb_package_causes_a_warning(
    create_run: CreateRun, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = create_run()
    (tmp_path / "wandb.py").write_text("raise ModuleNotFoundError('No module named wandb')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    warnings: list[str] = []
    with TrackerProcesses(run_id, settings, warnings.append):
        carry_on(run_id, settings, range(1, 4), "completed")
    assert epochs_in_mlflow(settings) == 3
    (warning,) = warnings
    assert "pip install 'movielens-recsys[wandb]'" in warning
    with pytest.raises(TrackingError, match="not installed"):
        sync_now(WANDB, [run_id], settings, warnings.append)
