"""The scripts of `experiments/`, in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from movielens_recsys.runs import store
from movielens_recsys.settings import load_settings

ROOT = Path(__file__).resolve().parents[3]


def script(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("with_store")
def test_the_plans_commands_work_verbatim(small_ratings: str) -> None:
    manager, runner = "experiments/experiment_manager.py", "experiments/run_experiment.py"
    assert script(manager, "create", "hybrid_vae_optimized", "rmse_breakthrough").returncode == 0
    modified = script(
        manager,
        "create",
        "hybrid_vae_optimized",
        "ensemble_model_1",
        "--modifications",
        '{"training": {"seed": 42}}',
    )
    assert modified.stdout.startswith("created ensemble_model_1_")
    made = script(
        manager, "create", "user_item_bias", "real", "-m", small_ratings, "--tag", "baseline", "--json"
    )
    run_id = json.loads(made.stdout)["id"]
    printed = script(runner, run_id, "--dry-run")
    assert "nothing was changed" in printed.stdout, printed.stderr
    ran = script(runner, run_id)
    assert (ran.returncode, "completed" in ran.stdout) == (0, True), ran.stderr
    listed = script(manager, "list", "--status", "completed", "--tag", "baseline", "--json")
    assert [run["id"] for run in json.loads(listed.stdout)] == [run_id]
    ids = store.run_ids(load_settings())
    compared = script(manager, "compare", *ids)
    assert (compared.returncode, "training.seed" in compared.stdout) == (0, True)


@pytest.mark.parametrize("name", ["experiment_manager.py", "run_experiment.py"])
def test_a_python_without_the_package_names_the_next_step(name: str) -> None:
    done = script("-I", "-S", f"experiments/{name}", "list")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "activate .venv, or run `make setup`" in done.stderr
