"""Three completed runs, the members of the ensembles of these tests."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.example_runs import write_small_ratings
from tests.shared import make_once

from movielens_recsys.data.splits.split import Split
from movielens_recsys.ensembles.predictions import Predictions, predictions_of
from movielens_recsys.experiments.execute import execute
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.experiments.run_data import load_split
from movielens_recsys.models.bundle import load_bundle
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings

TEMPLATES = ("global_mean", "popularity", "user_item_bias")


@pytest.fixture(scope="session")
def completed_members(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ratings and a home, in which three experiments on them are completed."""

    def complete(folder: Path) -> None:
        write_small_ratings(folder / "small.csv")
        settings = Settings(home=folder / "home", data=folder / "data", data_path="")
        for template in TEMPLATES:
            changes = {
                "data": {"path": str(folder / "small.csv")},
                "evaluation": {"bootstrap_samples": 100},
                "split": {"validation": 0.2},
                "targets": {"rmse": 0.9},
            }
            run = store.create_run(config_from_template(template, template, changes), settings)
            execute(run.id, settings)

    return make_once(tmp_path_factory, "completed_members", complete)


@pytest.fixture
def members(completed_members: Path, settings: Settings) -> list[str]:
    """Three completed experiments in the test's home, the last far better than the first two."""
    shutil.copytree(completed_members / "home", settings.home)
    ids = store.run_ids(settings)
    return [next(id for id in ids if id.startswith(template)) for template in TEMPLATES]


def load(members: list[str], settings: Settings) -> tuple[dict[str, Predictions], Split, Any]:
    config = store.load_config(members[0], settings)
    split = load_split(config, settings)
    models = {id: load_bundle(settings.runs / id / "bundle").recommender for id in members}
    predictions = {id: predictions_of(id, model, split, settings) for id, model in models.items()}
    return predictions, split, config.evaluation
