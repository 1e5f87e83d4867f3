"""Copies while a run goes on, by processes that may be slow, hang, be killed or never start."""

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
from tests.tracking.conftest import KEY, Begin
from tests.tracking.wandb_server import Act, Cloud, Handler, failing, hanging, refusing

from movielens_recsys.errors import TrackingError, TrainingStopped
from movielens_recsys.settings import Settings
from movielens_recsys.tracking.processes import TrackerProcesses, sync_now
from movielens_recsys.tracking.tracker import WANDB


def epochs_in_mlflow(settings: Settings) -> int:
    with sqlite3.connect(settings.tracking_db) as connection:
        query = "select count(*) from metrics where key = 'val_rmse'"
        return int(connection.execute(query).fetchone()[0])


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_both_sinks_have_it_all_when_the_run_has_ended(begin: Begin, online: Settings, cloud: Cloud) -> None:
    run_id = begin()
    said: list[str] = []
    with TrackerProcesses(run_id, online, said.append):
        carry_on(run_id, online, range(1, 6), "completed")
    assert said == []
    assert epochs_in_mlflow(online) == 5
    assert len(cloud.history(run_id, "val_rmse")) == 5


@pytest.mark.parametrize("act", [refusing, hanging], ids=lambda act: act.__name__)
def test_a_server_that_is_ill_costs_a_warning_and_is_caught_up_when_it_is_well(
    act: Act, begin: Begin, online: Settings, cloud: Cloud
) -> None:
    run_id = begin()
    said: list[str] = []
    cloud.act = act
    carry_on(run_id, online, range(1, 3))
    with TrackerProcesses(run_id, online, said.append, delay_s=0, grace_s=0.5):
        wait_until(lambda: bool(said if act is refusing else cloud.asked))
        carry_on(run_id, online, range(3, 4), "completed")
    (warning,) = [line for line in said if "W&B" in line]
    assert "recsys experiment sync" in warning
    assert KEY not in warning
    cloud.act = None
    assert sync_now(WANDB, [run_id], online, said.append) == 1
    assert len(cloud.history(run_id, "val_rmse")) == 3


def test_a_server_that_dies_in_the_middle_gets_the_rest_later(
    begin: Begin, online: Settings, cloud: Cloud
) -> None:
    run_id = begin()
    said: list[str] = []
    carry_on(run_id, online, range(1, 4))
    with TrackerProcesses(run_id, online, said.append, delay_s=0, grace_s=2):
        wait_until(lambda: run_id in cloud.runs)
        cloud.act = failing
        carry_on(run_id, online, range(4, 6), "completed")
    assert len([line for line in said if "W&B" in line]) == 1
    cloud.act = None
    sync_now(WANDB, [run_id], online, said.append)
    assert len(cloud.history(run_id, "val_rmse")) == 5


def test_a_run_that_is_told_to_stop_does_not_wait_and_its_copy_is_completed_without_it(
    begin: Begin, online: Settings, cloud: Cloud
) -> None:
    run_id = begin()
    asked, answer = threading.Event(), threading.Event()

    def slow(handler: Handler) -> None:
        asked.set()
        answer.wait(30)
        cloud.act = None
        handler.answer_well()

    cloud.act = slow
    with suppress(TrainingStopped), TrackerProcesses(run_id, online, print, delay_s=0):
        carry_on(run_id, online, range(1, 3))
        asked.wait(30)
        raise TrainingStopped("told to stop")
    assert cloud.runs == {}
    answer.set()
    wait_until(lambda: run_id in cloud.runs and len(cloud.history(run_id, "val_rmse")) == 2)
    wait_until(lambda: epochs_in_mlflow(online) == 2)


def test_the_copy_of_a_run_that_is_killed_is_completed(begin: Begin, settings: Settings) -> None:
    run_id = begin(None)
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
    root = Path(__file__).resolve().parents[3]
    path = os.pathsep.join([str(root), str(root / "src")])
    command = [sys.executable, "-c", program, run_id, str(settings.home)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=False)
    assert done.returncode == -signal.SIGKILL
    wait_until(lambda: epochs_in_mlflow(settings) == 7)


def test_wandb_asked_for_but_not_installed_costs_a_warning(
    begin: Begin, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = begin()
    (tmp_path / "wandb.py").write_text("raise ModuleNotFoundError('No module named wandb')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    said: list[str] = []
    with TrackerProcesses(run_id, settings, said.append):
        carry_on(run_id, settings, range(1, 4), "completed")
    assert epochs_in_mlflow(settings) == 3
    (warning,) = said
    assert "pip install 'movielens-recsys[wandb]'" in warning
    with pytest.raises(TrackingError, match="not installed"):
        sync_now(WANDB, [run_id], settings, said.append)
