"""Dry runs estimate a run and leave it as it is."""

from pathlib import Path
from typing import Any

from movielens_recsys.experiments.dry_run import dry_run
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings

TINY = {
    "model": {"n_factors": 4, "hidden_dims": [8], "latent_dim": 2},
    "training": {"epochs": 2, "batch_size": 128},
    "evaluation": {"bootstrap_samples": 100},
    "targets": {"rmse": 0.55, "ndcg_at_10": 0.01},
}


def plan(settings: Settings, ratings: Path, template: str = "quickstart", **changes: Any) -> str:
    modifications = {**(TINY if template == "quickstart" else {}), "data": {"path": str(ratings)}, **changes}
    return store.create_run(config_from_template(template, "a", modifications), settings).id


def test_a_dry_run_estimates_the_run_and_changes_nothing(settings: Settings, small_ratings: Path) -> None:
    run_id = plan(settings, small_ratings)
    folder = store.run_folder(run_id, settings)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    answer = dry_run(run_id, settings)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert (answer["split"]["train"], answer["steps_an_epoch"], answer["epochs_at_most"]) == (960, 8, 2)
    assert answer["parameters"] > 0
    assert answer["seconds_at_most"] > 0
    assert dry_run(plan(settings, small_ratings, "popularity"), settings)["parameters"] == 0


def test_a_dry_run_of_an_mcmc_model_times_a_few_sweeps(settings: Settings, small_ratings: Path) -> None:
    model = {"sweeps": 1_000_000, "n_factors": 3, "kernel_rank": 20}
    answer = dry_run(plan(settings, small_ratings, "bayesian_mf", model=model), settings)
    assert (answer["epochs_at_most"], answer["steps_an_epoch"]) == (50, 20_000)
    assert answer["seconds_at_most"] > 10
