"""Notices before a training: each appears where it applies, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from movielens_recsys.data.scale import Scale
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.experiments.notices import notices
from movielens_recsys.experiments.overrides import config_from_template


@pytest.fixture(scope="module")
def split() -> Split:
    return make_split(synthetic_ratings(40, 30, 600, seed=2).ratings)


def on_scale(split: Split, scale: Scale) -> Split:
    """Spread the same ratings over another scale."""
    place = (split.ratings.ratings - 1) / 4
    ratings = (scale.minimum + scale.span * place).astype(np.float32)
    return replace(split, ratings=replace(split.ratings, ratings=ratings, scale=scale))


def test_on_stars_with_times_there_is_nothing_to_say(split: Split) -> None:
    for template in ("bayesian_mf", "ease", "hybrid_vae_two_sided"):
        assert notices(config_from_template(template, "a"), split) == []


def test_settings_that_need_times_are_named(split: Split) -> None:
    timeless = replace(split, ratings=replace(split.ratings, timestamps=None))
    (line,) = notices(config_from_template("bayesian_mf", "a"), timeless)
    assert "no timestamps" in line
    assert "time_effects" in line


@pytest.mark.parametrize("scale", [Scale(-10, 10), Scale(0, 1000, 1)])
@pytest.mark.parametrize("template", ["bayesian_mf", "hybrid_vae_two_sided", "stars_and_lists"])
def test_models_of_levels_say_that_they_learn_bins(split: Split, scale: Scale, template: str) -> None:
    (line,) = notices(config_from_template(template, "a"), on_scale(split, scale))
    assert f"learns levels, and the scale is {scale}: it learns 20 bins" in line
    assert notices(config_from_template("neural_cf_baseline", "a"), on_scale(split, scale)) == []


def test_a_threshold_that_all_ratings_reach_is_said(split: Split) -> None:
    config = config_from_template("ease", "a", {"evaluation": {"relevance_threshold": 1}})
    (line,) = notices(config, split)
    assert "relevant: 1 or more (100.0 % of the held-out ratings)" in line
    rating_metrics_only = {"evaluation": {"relevance_threshold": 1, "protocols": []}}
    assert notices(config_from_template("ease", "a", rating_metrics_only), split) == []
