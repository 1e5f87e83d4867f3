"""An experiment's configuration: the nearest key at any depth, and parts that do not fit together."""

from __future__ import annotations

from typing import Any

import pytest

from movielens_recsys.errors import ConfigError
from movielens_recsys.runs.config import ExperimentConfig

TWO_TOWER = {"name": "hybrid_vae", "encoder": "two_sided"}


def parse(**values: Any) -> ExperimentConfig:
    return ExperimentConfig.parse({"name": "a", "template": "b", "model": {"name": "hybrid_vae"}} | values)


@pytest.mark.parametrize(
    ("values", "nearest"),
    [
        ({"training": {"sead": 42}}, "seed"),
        ({"model": {"name": "hybrid_vae", "latent_dims": 3}}, "latent_dim"),
        ({"model": {"name": "hybrid_vea"}}, "hybrid_vae"),
        ({"split": {"protocol": "leave_last", "kk": 2}}, "k"),
        ({"targets": {"rsme": 0.5}}, "rmse"),
    ],
)
def test_an_experiment_names_the_nearest_key_at_any_depth(values: dict[str, Any], nearest: str) -> None:
    with pytest.raises(ConfigError, match=f"did you mean {nearest!r}"):
        parse(**values)


@pytest.mark.parametrize(
    "model",
    [
        {"name": "bayesian_mf", "sessions": [5, 5]},
        {"name": "hybrid_vae", "encoder": "two_sided", "variants": ["skip", "skip"]},
    ],
)
def test_what_is_named_twice_is_refused(model: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="names one twice"):
        parse(model=model)


def test_a_likelihood_needs_an_ordinal_model() -> None:
    training = {"nll_weight": 0.5}
    with pytest.raises(ConfigError, match=r"nll_weight is 0.5 .* expected 0, or hybrid_vae with encoder"):
        parse(training=training)
    assert parse(training=training, model=TWO_TOWER).training.nll_weight == 0.5
    composite = {"name": "stars_and_lists", "stars": TWO_TOWER, "lists": {"name": "ease"}}
    assert parse(training=training, model=composite).model.has_ordinal_output


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"tags": ["two words"]}, "tags.0"),
        ({"description": "two\nlines"}, "description"),
        ({"resources": {"cap_usd": 0}}, "resources.cap_usd"),
        ({"resources": {"price_usd_per_hour": -1}}, "resources.price_usd_per_hour"),
        ({"targets": {"ndcg_at_10": 1.5}}, "targets.ndcg_at_10"),
        ({"contingencies": "always"}, "contingencies"),
    ],
)
def test_a_value_that_no_run_could_have_is_named_with_its_place(values: dict[str, Any], place: str) -> None:
    with pytest.raises(ConfigError, match=place):
        parse(**values)
