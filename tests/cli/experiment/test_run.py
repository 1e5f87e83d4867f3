"""Runs that are terminated or killed, resumed, and compared with an uninterrupted one."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.cli.conftest import EPOCHS


def recsys(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "movielens_recsys", "experiment", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def create(environment: dict[str, str], name: str, modifications: str) -> str:
    done = recsys(environment, "create", "quickstart", name, "-m", modifications, "--json")
    return str(json.loads(done.stdout)["id"])


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


def show(environment: dict[str, str], run_id: str) -> dict[str, Any]:
    return dict(json.loads(recsys(environment, "show", run_id, "--json").stdout))


def learned(environment: dict[str, str], run_id: str) -> str:
    bundle = Path(environment["RECSYS_HOME"]) / "runs" / run_id / "bundle" / "model.safetensors"
    return hashlib.sha256(bundle.read_bytes()).hexdigest()


def test_interrupted_runs_equal_an_uninterrupted_one(modifications: str, environment: dict[str, str]) -> None:
    calm, rough = (create(environment, name, modifications) for name in ("calm", "rough"))
    assert recsys(environment, "run", calm).returncode == 0

    assert interrupt(environment, rough, "run", signal.SIGTERM) == 143
    stopped = show(environment, rough)
    assert stopped["state"] == "stopped"
    assert "stopped in epoch" in stopped["reason"]
    refused = recsys(environment, "run", rough)
    assert refused.returncode == 1
    assert f"recsys experiment resume {rough}" in refused.stderr
    assert interrupt(environment, rough, "resume", signal.SIGKILL) == -signal.SIGKILL
    assert show(environment, rough)["process_gone"]
    assert recsys(environment, "resume", rough).returncode == 0

    ours, theirs = show(environment, rough), show(environment, calm)
    assert ours["state"] == "completed"
    assert [record["epoch"] for record in ours["history"]] == list(range(1, EPOCHS + 1))
    assert ours["figures"] == theirs["figures"]
    assert learned(environment, rough) == learned(environment, calm)


def test_a_run_that_cannot_be_resumed_names_the_next_step(
    modifications: str, environment: dict[str, str]
) -> None:
    run_id = create(environment, "planned", modifications)
    planned = recsys(environment, "resume", run_id)
    assert planned.returncode == 1
    assert f"recsys experiment run {run_id}" in planned.stderr
    assert planned.stderr.count("\n") == 1


def test_cost_includes_all_attempts(modifications: str, environment: dict[str, str]) -> None:
    dear = {**json.loads(modifications), "resources": {"price_usd_per_hour": 3600.0, "cap_usd": 1000.0}}
    run_id = create(environment, "dear", json.dumps(dear))
    assert interrupt(environment, run_id, "run", signal.SIGKILL) == -signal.SIGKILL
    killed = show(environment, run_id)
    assert killed["spent_usd"] == killed["seconds"] > killed["history"][-1]["run_seconds"] - 0.001 > 0

    barely = killed["spent_usd"] + 0.01
    stopped = recsys(environment, "resume", run_id, "--cap-usd", f"{barely:.3f}")
    assert stopped.returncode == 3
    at_cap = show(environment, run_id)
    assert (at_cap["state"], at_cap["attempts"]) == ("stopped", 2)
    assert at_cap["spent_usd"] >= barely > killed["spent_usd"]
    command = stopped.stderr.strip().rpartition("recsys experiment ")[2].split()
    assert command[:2] == ["resume", run_id]

    refused = recsys(environment, "resume", run_id)
    assert (refused.returncode, refused.stderr.count("\n")) == (3, 1)
    wrong = recsys(environment, "resume", run_id, "--cap-usd", "nan")
    assert (wrong.returncode, "cap_usd" in wrong.stderr) == (2, True)
    assert show(environment, run_id)["seconds"] == at_cap["seconds"]

    assert recsys(environment, "resume", run_id, "--cap-usd", "1000").returncode == 0
    ended = show(environment, run_id)
    assert (ended["state"], ended["cap_usd"]) == ("completed", 1000.0)
    assert ended["spent_usd"] > at_cap["spent_usd"]
    assert f"at $3,600.00 an hour, cap $1,000.00; {'$' if ended['usd_per_rmse_point'] else 'not below'}" in (
        recsys(environment, "show", run_id).stdout
    )
