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


def in_process(
    environment: dict[str, str], *words: str, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run an experiment in a process of its own, from a working folder."""
    command = [sys.executable, "-m", "movielens_recsys", "experiment", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, cwd=folder)


def interrupt(environment: dict[str, str], run_id: str, command: str, number: signal.Signals) -> int:
    """Start or resume a run, send the signal once it trains, and return its exit code."""
    events = log_of(environment, run_id)
    trained = events.read_text().count('"epoch"') + 3
    return signalled(
        environment, number, lambda: events.read_text().count('"epoch"') >= trained, command, run_id
    )[0]


def log_of(environment: dict[str, str], run_id: str) -> Path:
    return Path(environment["RECSYS_HOME"]) / "runs" / run_id / "events.jsonl"


def signalled(
    environment: dict[str, str], number: signal.Signals, when: Callable[[], bool], *words: str
) -> tuple[int, str]:
    """Start a command, send the signal once ``when`` holds; return its exit code and its output."""
    line = [sys.executable, "-m", "movielens_recsys", "experiment", *words]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        while not when():
            assert process.poll() is None, "the run ended before it could be interrupted"
            time.sleep(0.005)
        process.send_signal(number)
        out, _ = process.communicate(timeout=60)
    return process.returncode, out


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


def test_neither_another_folder_nor_data_that_are_away_cost_the_training(
    modifications: str,
    environment: dict[str, str],
    recsys: Recsys,
    created: Create,
    show: Show,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    relative = {**json.loads(modifications), "data": {"path": "ratings.csv"}}
    run_id = created("quickstart", "away", "-m", json.dumps(relative), "--accept", "batch_size")
    assert interrupt(environment, run_id, "run", signal.SIGTERM) == 143
    events, data = log_of(environment, run_id), tmp_path / "ratings.csv"
    before, content = events.read_bytes(), data.read_text()

    away = data.rename(tmp_path / "away.csv")
    code, _, err = recsys("resume", run_id)
    assert (code, f"nothing at {data}" in err) == (1, True)
    data.write_text(content.replace(",4,", ",2,"))
    code, _, err = recsys("resume", run_id)
    assert (code, "of 4,000 ratings, and now finds" in err) == (1, True)
    assert events.read_bytes() == before
    assert "began with the data" in show(run_id)["refused"]["reason"]
    assert f"{run_id} refused: experiment {run_id} began with" in recsys("list")[1]

    away.rename(data)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert recsys("resume", run_id)[0] == 0
    assert (show(run_id)["state"], show(run_id)["refused"]) == ("completed", None)


def test_a_kill_during_the_evaluation_costs_the_evaluation_alone(
    modifications: str, environment: dict[str, str], recsys: Recsys, created: Create, show: Show
) -> None:
    short = {**json.loads(modifications), "training": {"epochs": 2}}
    slow = {**short, "evaluation": {"bootstrap_samples": 1_000_000}}
    words = ("--accept", "batch_size")
    calm = created("quickstart", "calm", "-m", json.dumps(short), *words)
    rough = created("quickstart", "rough", "-m", json.dumps(slow), *words)

    completed = log_of(environment, calm)
    code, out = signalled(
        environment, signal.SIGTERM, lambda: '"completed"' in completed.read_text(), "run", calm, "--json"
    )
    assert (code, json.loads(out)["state"]) == (0, "completed"), "a signal after the work changes nothing"

    fitted = log_of(environment, rough)
    assert (
        signalled(environment, signal.SIGKILL, lambda: '"kind":"fitted"' in fitted.read_text(), "run", rough)[
            0
        ]
        == -signal.SIGKILL
    )
    assert "trained and saved, not evaluated" in recsys("show", rough)[1]
    code, _, err = recsys("evaluate", rough, "--set", "training.epochs=3")
    assert (code, "training cannot be changed" in err) == (2, True)
    assert recsys("evaluate", rough, "--set", "evaluation.bootstrap_samples=1000")[0] == 0
    ours, theirs = show(rough), show(calm)
    assert (ours["state"], ours["evaluation"]) == ("completed", {"bootstrap_samples": 1000})
    assert (ours["figures"], learned(environment, rough)) == (
        theirs["figures"],
        learned(environment, calm),
    )
    code, _, err = recsys("evaluate", rough)
    assert (code, "is evaluated" in err) == (1, True)
