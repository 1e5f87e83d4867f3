"""Both parts are evaluated where they have rows, and an event has each metric under its name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.scale import Scale
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.experiments.evaluate_run import evaluate_run, evaluated_event, validation_rmse
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.models.base import Model
from movielens_recsys.models.baselines import UserItemBias
from movielens_recsys.models.baselines_config import GlobalMeanConfig, PopularityConfig, UserItemBiasConfig
from movielens_recsys.models.factory import build_model

CONFIG = config_from_template("user_item_bias", "demo", {"evaluation": {"bootstrap_samples": 100}})


@pytest.fixture(scope="module")
def split() -> Split:
    return make_split(synthetic_ratings(50, 40, 900, seed=4).ratings, RandomSplit())


@pytest.fixture(scope="module")
def model(split: Split) -> Model:
    return build_model(UserItemBiasConfig(), split.part("train"))


def test_an_event_has_the_metrics_of_the_report_of_its_part(model: Model, split: Split) -> None:
    mean = build_model(GlobalMeanConfig(), split.part("train"))
    reports = evaluate_run(model, split, CONFIG, {"mean": mean})
    assert list(reports) == ["validation", "test"]
    for part, report in reports.items():
        event = evaluated_event(part, report)
        assert (event["part"], event["k"], event["relevance_threshold"]) == (part, 10, 4.0)
        assert event["relevant_share"] == report.relevant_share
        rmse, figure = report.metric_value("rmse"), event["figures"]["rmse"]
        assert figure == {"value": rmse.value, "low": rmse.low, "high": rmse.high}
        assert figure["low"] < figure["value"] < figure["high"]
        assert "ndcg_at_10_full" in event["figures"]
        assert report.metric_value("rmse", reference="mean").value > rmse.value
    validation = reports["validation"].metric_value("rmse").value
    assert validation_rmse(model, split) == pytest.approx(validation)


def test_without_validation_rows_only_test_is_evaluated(model: Model, split: Split) -> None:
    bare = replace(split, validation=np.array([], np.int64))
    assert list(evaluate_run(model, bare, CONFIG, {})) == ["test"]
    assert validation_rmse(model, bare) is None


def test_beside_interactions_only_models_that_learn_from_them_stand(split: Split) -> None:
    ones = np.ones(len(split.ratings), np.float32)
    ratings = replace(split.ratings, ratings=ones, scale=Scale(0, 1, 1), implicit=True)
    implicit = replace(split, ratings=ratings)
    popularity = build_model(PopularityConfig(), implicit.part("train"))
    bias = UserItemBias.fit(UserItemBiasConfig(), implicit.part("train"))
    reports = evaluate_run(popularity, implicit, CONFIG, {"bias": bias, "most rated": popularity})
    assert list(reports["test"].references) == ["random", "popularity", "most rated", "perfect"]
    assert validation_rmse(bias, implicit) is None
