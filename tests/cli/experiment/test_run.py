"""Runs that are terminated or killed, resumed, and compared with an uninterrupted one."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import EPOCHS
from tests.cli.experiment.conftest import Create, Recsys

Show = Callable[[str], dict[str, Any]]


@pytest.fixture
def show(recsys: Recsys) -> Show:
    """Return the experiment as `recsys experiment show` prints it."""
    return lambda run_id: dict(json.loads(recsys("show", run_id, "--json")[1]))


def in_process(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run an experiment in a process of its own."""
    command = [sys.executable, "-m", "movielens_recsys", "experiment", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def interrupt(environment: dict[str, str], run_id: str, command: str, number: signal.Signals) -> int:
    """Start or resume a run, send the signal once it trains, and return its exit code."""
    words = [sys.executable, "-m", "movielens_recsys", "experiment", command, run_id]
    events = Path(environment["RECSYS_HOME"]) / "runs" / run_id / "events.jsonl"
    before = events.read_text().count('"epoch"')
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    while events.read_text().count('"epoch"') < before + 3:
        assert process.poll() is None, "the run ended before it could be interrupted"
        time.sleep(0.01)
    process.send_signal(number)
    return process.wait(timeout=60)


def learned(environment: dict[str, str], run_id: str) -> str:
    bundle = Path(environment["RECSYS_HOME"]) / "runs" / run_id / "bundle" / "model.safetensors"
    return hashlib.sha256(bundle.read_bytes()).hexdigest()


def test_interrupted_runs_equal_an_uninterrupted_one(
    modifications: str, environment: dict[str, str], recsys: Recsys, created: Create, show: Show
) -> None:
    calm, rough = (
        created("quickstart", name, "-m", modifications, "--accept", "batch_size")
        for name in ("calm", "rough")
    )
    assert in_process(environment, "run", calm).returncode == 0

    assert interrupt(environment, rough, "run", signal.SIGTERM) == 143
    stopped = show(rough)
    assert stopped["state"] == "stopped"
    assert "stopped in epoch" in stopped["reason"]
    code, _, err = recsys("run", rough)
    assert code == 1
    assert f"recsys experiment resume {rough}" in err
    assert interrupt(environment, rough, "resume", signal.SIGKILL) == -signal.SIGKILL
    assert show(rough)["process_gone"]
    assert in_process(environment, "resume", rough).returncode == 0

    ours, theirs = show(rough), show(calm)
    assert ours["state"] == "completed"
    assert [record["epoch"] for record in ours["history"]] == list(range(1, EPOCHS + 1))
    assert ours["figures"] == theirs["figures"]
    assert learned(environment, rough) == learned(environment, calm)


def test_a_run_that_cannot_be_resumed_names_the_next_step(
    modifications: str, recsys: Recsys, created: Create
) -> None:
    run_id = created("quickstart", "planned", "-m", modifications, "--accept", "batch_size")
    code, _, err = recsys("resume", run_id)
    assert code == 1
    assert f"recsys experiment run {run_id}" in err
    assert err.count("\n") == 1


def test_cost_includes_all_attempts(
    modifications: str, environment: dict[str, str], recsys: Recsys, created: Create, show: Show
) -> None:
    dear = {**json.loads(modifications), "resources": {"price_usd_per_hour": 3600.0, "cap_usd": 1000.0}}
    run_id = created("quickstart", "dear", "-m", json.dumps(dear), "--accept", "batch_size")
    assert interrupt(environment, run_id, "run", signal.SIGKILL) == -signal.SIGKILL
    killed = show(run_id)
    assert killed["spent_usd"] == pytest.approx(killed["seconds"])
    assert killed["seconds"] > killed["history"][-1]["run_seconds"] - 0.001 > 0

    barely = killed["spent_usd"] + 0.01
    stopped = in_process(environment, "resume", run_id, "--cap-usd", f"{barely:.3f}")
    assert stopped.returncode == 3
    at_cap = show(run_id)
    assert (at_cap["state"], at_cap["attempts"]) == ("stopped", 2)
    assert at_cap["spent_usd"] >= barely > killed["spent_usd"]
    command = stopped.stderr.strip().rpartition("recsys experiment ")[2].split()
    assert command[:2] == ["resume", run_id]

    code, _, err = recsys("resume", run_id)
    assert (code, err.count("\n")) == (3, 1)
    code, _, err = recsys("resume", run_id, "--cap-usd", "nan")
    assert (code, "cap_usd" in err) == (2, True)
    assert show(run_id)["seconds"] == at_cap["seconds"]

    assert in_process(environment, "resume", run_id, "--cap-usd", "1000").returncode == 0
    ended = show(run_id)
    assert (ended["state"], ended["cap_usd"]) == ("completed", 1000.0)
    assert ended["spent_usd"] > at_cap["spent_usd"]
    assert (
        f"at $3,600.00 an hour, cap $1,000.00; {'$' if ended['usd_per_rmse_point'] else 'not below'}"
        in (recsys("show", run_id)[1])
    )
