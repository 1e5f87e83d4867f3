"""What the W&B library sends to a server on this machine, and what it keeps here."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import pytest
from tests.example_runs import carry_on
from tests.tracking.conftest import KEY, CreateRun
from tests.tracking.wandb_server import WandbServer

from movielens_recsys.runs import store
from movielens_recsys.runs.events import read_events
from movielens_recsys.settings import Settings
from movielens_recsys.tracking.names import WANDB
from movielens_recsys.tracking.processes import sync_now


def sync(run_id: str, settings: Settings) -> tuple[int, list[str]]:
    warnings: list[str] = []
    return sync_now(WANDB, [run_id], settings, warnings.append), warnings


def test_a_resumed_run_continues_its_wandb_run_and_sends_nothing_twice(
    create_run: CreateRun, online: Settings, wandb_server: WandbServer
) -> None:
    run_id = create_run()
    assert sync(run_id, online) == (0, [])
    assert wandb_server.requests == []
    carry_on(run_id, online, range(1, 4), "stopped", reason="stopped by a signal")
    assert sync(run_id, online) == (1, [])
    copy = wandb_server.runs[run_id]
    assert (copy["preempting"], copy["project"], copy["program"]) == (True, "films", "recsys")
    n_requests = len(wandb_server.requests)
    assert sync(run_id, online) == (0, [])
    assert len(wandb_server.requests) == n_requests

    carry_on(run_id, online, range(3, 7), "completed")
    assert sync(run_id, online) == (1, [])
    assert list(wandb_server.runs) == [run_id]
    assert wandb_server.history(run_id, "val_rmse") == pytest.approx({e: 1 - e / 1000 for e in range(1, 7)})
    assert wandb_server.history(run_id, "val_loss").keys() == set(range(1, 7))
    log = read_events(store.run_folder(run_id, online) / "events.jsonl")
    times = {event.data.get("epoch"): datetime.fromisoformat(event.time).timestamp() for event in log}
    sent = wandb_server.history(run_id, "_timestamp")
    assert [sent[epoch] for epoch in (1, 6)] == pytest.approx([times[1], times[6]], rel=0, abs=1e-3)
    assert copy["exit_code"] == 0
    assert copy["summary"]["recsys/state"] == "completed"
    assert copy["summary"]["recsys/reason"] == ""


def test_neither_key_nor_machine_nor_code_is_sent_or_stored(
    create_run: CreateRun, online: Settings, wandb_server: WandbServer
) -> None:
    run_id = create_run()
    carry_on(run_id, online, range(1, 3), "completed")
    sync(run_id, online)
    sent = "\n".join(wandb_server.bodies)
    for secret in (KEY, str(Path.cwd()), str(Path.home()), sys.executable):
        assert secret not in sent
    assert not any("requirements" in path or "metadata" in path for path in wandb_server.requests)
    files = [path for path in online.home.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []
    assert list(online.wandb.glob("*run-*")) == []


def test_nothing_is_made_where_wandb_is_switched_off(
    create_run: CreateRun, wandb_server: WandbServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = create_run()
    carry_on(run_id, settings, range(1, 3), "completed")
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert sync(run_id, Settings(home=settings.home)) == (0, [])
    assert wandb_server.requests == []
    assert list(settings.wandb.glob("*run-*")) == []


def test_without_a_key_one_complete_offline_copy_is_kept_until_there_is_one(
    create_run: CreateRun, wandb_server: WandbServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = create_run()
    monkeypatch.delenv("WANDB_API_KEY")
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, wandb_server.url)
    carry_on(run_id, settings, range(1, 4), "stopped", reason="stopped by a signal")
    count, warnings = sync(run_id, settings)
    assert (count, len(warnings)) == (1, 1)
    assert "WANDB_API_KEY is not set" in warnings[0]
    assert "recsys experiment sync" in warnings[0]
    carry_on(run_id, settings, range(4, 6), "completed")
    assert sync(run_id, settings)[0] == 1
    assert sync(run_id, settings)[0] == 0
    (folder,) = settings.wandb.glob("offline-run-*")
    assert (folder / f"run-{run_id}.wandb").read_bytes().count(b"val_rmse") >= 5
    assert wandb_server.requests == []

    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    assert sync(run_id, Settings(home=settings.home)) == (1, [])
    assert wandb_server.history(run_id, "val_rmse").keys() == set(range(1, 6))
    assert not folder.exists()
