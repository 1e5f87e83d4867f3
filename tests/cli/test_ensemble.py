"""`recsys ensemble`: the plan's commands, and members that are killed."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from movielens_recsys.cli.main import main
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.models.bundle import load_bundle
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings

Recsys = Callable[..., tuple[int, str, str]]


@pytest.fixture
def recsys(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Recsys:
    """Return a function that runs the command in the test's home: exit code, output and errors."""
    for name in ("RECSYS_HOME", "RECSYS_DATA", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, environment[name])
    monkeypatch.setenv("RECSYS_DATA_PATH", "")
    monkeypatch.setenv("COLUMNS", "200")

    def run_command(*words: str) -> tuple[int, str, str]:
        return main(words), *capsys.readouterr()

    return run_command


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    return Settings(
        home=Path(environment["RECSYS_HOME"]), data=Path(environment["RECSYS_DATA"]), data_path=""
    )


@pytest.fixture
def quick(modifications: str) -> dict[str, Any]:
    """Modifications for members that train quickly."""
    data = json.loads(modifications)["data"]
    return {"data": data, "training": {"epochs": 2}, "evaluation": {"bootstrap_samples": 100}}


def events(run_id: str, settings: Settings) -> str:
    return (store.run_folder(run_id, settings) / "events.jsonl").read_text()


def test_members_are_run_blended_and_shown_once(
    recsys: Recsys, settings: Settings, quick: dict[str, Any]
) -> None:
    ids = []
    for number, seed in enumerate((42, 123), start=1):
        words = json.dumps({**quick, "training": {"epochs": 2, "seed": seed}})
        name = f"ensemble_model_{number}"
        code, out, _ = recsys("experiment", "create", "quickstart", name, "--modifications", words, "--json")
        assert code == 0
        ids.append(json.loads(out)["id"])
    assert recsys("experiment", "run", ids[0])[0] == 0
    before = events(ids[0], settings)

    line = (
        "ensemble",
        "run",
        "both",
        "--members",
        "ensemble_model_1",
        "ensemble_model_2",
        "--blend",
        "ridge",
    )
    code, out, _ = recsys(*line, "--dry-run", "--json")
    assert (code, [row["state"] for row in json.loads(out)["members"]]) == (0, ["completed", "planned"])
    assert not settings.ensembles.exists()
    code, out, err = recsys(*line)
    assert code == 0, err
    assert f"{ids[0]}: trains" not in err
    assert f"{ids[1]}: completed, val_rmse" in err
    assert "What each member adds" in out
    assert all(id in out for id in ids)
    assert events(ids[0], settings) == before, "a completed member is not changed"

    again = recsys(*line)
    assert (again[0], again[2]) == (0, "both is completed already\n")
    values = json.loads(recsys("ensemble", "show", "both", "--json")[1])
    assert [member["seed"] for member in values["members"]] == [42, 123]
    assert set(values["against_best"]) == {"validation", "test"}
    listed = json.loads(recsys("ensemble", "list", "--json")[1])
    assert [(row["name"], row["state"]) for row in listed] == [("both", "completed")]
    assert listed[0]["test_rmse"] == values["figures"]["test_rmse"]["value"]
    assert "both" in recsys("ensemble", "list")[1]
    bundle = load_bundle(settings.ensembles / "both" / "bundle")
    assert [config.name for config in bundle.recommender.config.members] == ["hybrid_vae", "hybrid_vae"]

    code, out, _ = recsys(*line[:-1], "mean", "--dry-run")
    assert code == 2, "the name has another blend"
    code, out, _ = recsys("ensemble", "run", "other", *ids, "--blend", "mean", "--json")
    assert (code, json.loads(out)["blend"]) == (0, "mean")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "missing"], "name its members"),
        (["show", "missing"], "unknown ensemble 'missing'"),
        (["run", "one", "--seeds", "1,2"], "--template, --clone or --file"),
        (["run", "one", "--template", "quickstart", "--seeds", "1,x"], "cannot read 'x' in --seeds"),
        (["run", "one", "--template", "quickstart", "--seeds", "1,4294967296"], "4294967296 is too large"),
        (["run", "one", "--template", "quickstart", "--seeds", "1,1"], "--seeds has 1 twice"),
        (["run", "one", "--template", "quickstrat"], "did you mean 'quickstart'"),
        (["run", "a/b", "--template", "quickstart"], "cannot be the name"),
        (["run", "one", "--template", "quickstart", "--ray-address", "auto"], "--engine ray"),
        (["run", "one", "--file", "no.yaml"], "no.yaml"),
    ],
)
def test_wrong_arguments_are_refused_in_one_line(words: list[str], message: str, recsys: Recsys) -> None:
    code, out, err = recsys("ensemble", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_after_a_kill_only_the_missing_work_is_done(
    environment: dict[str, str], modifications: str, settings: Settings, recsys: Recsys
) -> None:
    """The ensemble's process is killed while its member goes on; then the member is killed and resumed."""
    changes = json.loads(modifications)
    changes["training"]["epochs"] = 16
    short, long = (
        store.create_run(config_from_template(template, template, changes), settings).id
        for template in ("global_mean", "quickstart")
    )
    assert recsys("experiment", "run", short)[0] == 0
    words = ["ensemble", "run", "rough", "--members", short, long, "--blend", "mean"]
    leader = start(words, environment)
    wait_for(lambda: events(long, settings).count('"epoch"') >= 3, leader)
    leader.kill()
    leader.wait()
    finished = events(short, settings)

    supervisor = json.loads((settings.runs / long / "auto.json").read_text())["pid"]
    trainer = json.loads(events(long, settings).splitlines()[1])["data"]["pid"]
    killer = subprocess.Popen(["sh", "-c", f"sleep 0.3; kill -9 {supervisor} {trainer}"])
    code, _, err = recsys(*words)
    assert (code, killer.wait()) == (0, 0), err
    assert err.splitlines()[:2] == [f"{long}: another process trains it; waiting", f"{long}: trains"]
    assert events(short, settings) == finished
    run = store.load_run(long, settings)
    assert (run.state, run.attempts, len(run.history)) == ("completed", 2, 16)
    resumed = events(long, settings).partition('"resumed"')[2]
    assert '"epoch":1,' not in resumed, "it resumed from its checkpoint"
    assert json.loads(recsys("ensemble", "list", "--json")[1])[0]["state"] == "completed"


def start(words: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "movielens_recsys", *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    while not condition():
        assert process.poll() is None, "it ended too early"
        time.sleep(0.02)


def test_sigterm_saves_the_members(
    environment: dict[str, str], modifications: str, settings: Settings
) -> None:
    words = ["ensemble", "run", "calm", "--template", "quickstart", "--seeds", "1,2", "-m", modifications]
    process = start(words, environment)
    wait_for(lambda: len(store.run_ids(settings)) == 2, process)
    first, second = store.run_ids(settings)
    wait_for(lambda: events(first, settings).count('"epoch"') >= 2, process)
    process.terminate()
    assert process.wait(timeout=30) == 143
    assert store.load_run(first, settings).state == "stopped"
    assert store.load_run(second, settings).state == "planned"


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed")
@pytest.mark.slow
def test_members_run_on_a_ray_cluster(recsys: Recsys, quick: dict[str, Any], settings: Settings) -> None:
    words = ("--template", "quickstart", "--seeds", "1,2", "-m", json.dumps(quick), "--blend", "mean")
    code, out, err = recsys("ensemble", "run", "far", *words, "--engine", "ray", "--jobs", "2", "--json")
    assert code == 0, err
    assert json.loads(out)["state"] == "completed"
    assert {store.load_run(id, settings).state for id in store.run_ids(settings)} == {"completed"}
