"""Blending real runs: metrics, saved files, and no selection on test."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from movielens_recsys.data.splits.split import Split
from movielens_recsys.ensembles import store as ensemble_store
from movielens_recsys.ensembles.blend_selection import select_blend
from movielens_recsys.ensembles.build import build_ensemble
from movielens_recsys.ensembles.predictions import Predictions, predictions_of
from movielens_recsys.errors import ExperimentError, UsageError
from movielens_recsys.evaluation.per_user import PerUserMetrics
from movielens_recsys.experiments.execute import execute, load_split
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.models.bundle import load_bundle
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings

TEMPLATES = ("global_mean", "popularity", "user_item_bias")


@pytest.fixture
def members(settings: Settings, small_ratings: Path) -> list[str]:
    """Three completed experiments, the last far better than the first two."""
    ids = []
    for template in TEMPLATES:
        changes = {
            "data": {"path": str(small_ratings)},
            "evaluation": {"bootstrap_samples": 100},
            "split": {"validation": 0.2},
            "targets": {"rmse": 0.9},
        }
        ids.append(store.create_run(config_from_template(template, template, changes), settings).id)
        execute(ids[-1], settings)
    return ids


def load(members: list[str], settings: Settings) -> tuple[dict[str, Predictions], Split, Any]:
    config = store.load_config(members[0], settings)
    split = load_split(config, settings)
    models = {id: load_bundle(settings.runs / id / "bundle").recommender for id in members}
    predictions = {id: predictions_of(id, model, split, settings) for id, model in models.items()}
    return predictions, split, config.evaluation


def test_a_built_ensemble_is_evaluated_like_a_run_and_saved_completely(
    members: list[str], settings: Settings
) -> None:
    with ensemble_store.ensemble_lock("all", settings):
        values = build_ensemble(ensemble_store.save_plan("all", members, "ridge", [], settings), settings)
    folder = settings.ensembles / "all"
    assert ensemble_store.load_report("all", settings) == json.loads(json.dumps(values))
    assert ensemble_store.state_of("all", settings) == "completed"
    assert (values["blend"], values["best_member"]) == ("ridge", members[2])
    best_run = store.load_run(members[2], settings)
    assert values["data"]["hash"] == best_run.data["hash"]
    assert set(values["figures"]) == set(best_run.figures)
    best = values["members"][2]
    assert best["rmse"]["test"] == pytest.approx(best_run.figures["test_rmse"].value, abs=1e-6)
    assert best["adds"]["validation"]["better"] == best["adds"]["test"]["better"] == "a", "it helps"
    assert values["gate"][0]["validation"] == values["figures"]["val_rmse"]["value"]
    assert values["figures"]["val_rmse"]["value"] == pytest.approx(values["blends"]["ridge"]["validation"])

    loaded, split = load_bundle(folder / "bundle"), load(members, settings)[1]
    assert loaded.metadata["members"] == members
    test = split.part("test")
    predicted = loaded.recommender.predict(test.users, test.items)
    again = float(np.sqrt(np.mean((predicted.astype(np.float64) - test.ratings) ** 2)))
    assert values["figures"]["test_rmse"]["value"] == pytest.approx(again, abs=1e-6)
    assert PerUserMetrics.load(folder / "per_user_test.npz").split_hash == split.hash
    assert members[0] in (folder / "report.html").read_text()


def test_nothing_is_selected_on_test(members: list[str], settings: Settings) -> None:
    predictions, split, evaluation = load(members, settings)
    honest = select_blend(predictions, split, evaluation, "auto")
    assert set(honest.rmse) == {"mean", "ridge", "gbm"}
    assert honest.blend == min(honest.rmse, key=lambda name: honest.rmse[name]["validation"])
    ratings = split.ratings.ratings.copy()
    ratings[split.test] = 6 - ratings[split.test]
    poisoned = Split(
        replace(split.ratings, ratings=ratings), split.config, split.train, split.validation, split.test
    )
    other = select_blend(predictions, poisoned, evaluation, "auto")
    assert (other.blend, other.best_member) == (honest.blend, honest.best_member)
    np.testing.assert_array_equal(other.predicted["test"], honest.predicted["test"])
    for name, values in honest.rmse.items():
        assert other.rmse[name]["validation"] == values["validation"]
        assert other.rmse[name]["test"] != values["test"]


def test_predictions_are_cached_and_recomputed_for_other_rows(members: list[str], settings: Settings) -> None:
    predictions, split, _ = load(members, settings)
    path, expected = settings.predictions / f"{members[2]}.npz", predictions[members[2]]
    with np.load(path, allow_pickle=False) as stored:
        np.testing.assert_array_equal(stored["test_rows"], split.test)
    unused: Any = None  # calling this model would fail
    again = predictions_of(members[2], unused, split, settings)
    np.testing.assert_array_equal(again.validation, expected.validation)
    path.write_bytes(path.read_bytes()[:100])
    model = load_bundle(settings.runs / members[2] / "bundle").recommender
    np.testing.assert_array_equal(predictions_of(members[2], model, split, settings).test, expected.test)
    other = Split(split.ratings, split.config, split.train, split.validation, split.test[:-1])
    assert len(predictions_of(members[2], model, other, settings).test) == len(expected.test) - 1


def test_members_of_data_that_have_changed_are_refused(
    members: list[str], settings: Settings, small_ratings: Path
) -> None:
    small_ratings.write_text(small_ratings.read_text() + "1,1,5,2000000000\n")
    plan = ensemble_store.save_plan("late", members, "mean", [], settings)
    with pytest.raises(ExperimentError, match=f"member {members[0]} was trained on data"):
        build_ensemble(plan, settings)
    assert ensemble_store.load_report("late", settings) is None


def test_without_validation_rows_only_the_mean_is_possible(members: list[str], settings: Settings) -> None:
    predictions, split, evaluation = load(members, settings)
    bare = Split(
        split.ratings, split.config, np.r_[split.train, split.validation], split.validation[:0], split.test
    )
    result = select_blend(predictions, bare, evaluation, "mean")
    assert list(result.predicted) == ["test"]
    assert result.best_member == members[2]
    with pytest.raises(UsageError, match="--blend mean"):
        select_blend(predictions, bare, evaluation, "auto")
