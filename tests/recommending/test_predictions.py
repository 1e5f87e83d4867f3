"""Predicted pairs, and which of them the fallback predicted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.models.baselines_config import UserItemBiasConfig
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.factory import build_model
from movielens_recsys.recommender import UNKNOWN, TimeAwareRecommender
from movielens_recsys.recommending.predictions import predict_pairs


def test_pairs_that_the_fallback_predicts_say_why(ratings: Ratings) -> None:
    train = ratings.take(np.flatnonzero((ratings.users != 2) & (ratings.items != 5)))
    model = build_model(UserItemBiasConfig(), train)
    users, items = np.array([1, 2, 1, UNKNOWN, 1, UNKNOWN]), np.array([1, 1, 5, 1, UNKNOWN, 5])
    found = predict_pairs(model, users, items)
    np.testing.assert_array_equal(found.ratings, model.predict(users, items))
    assert found.fallback.tolist() == [
        None,
        "user without training ratings",
        "item without training ratings",
        "unknown user",
        "unknown item",
        "unknown user, item without training ratings",
    ]


def test_equal_ratings_leave_no_user_unknown(ratings: Ratings) -> None:
    equal = replace(ratings, ratings=np.full(len(ratings), 1, np.float32), scale=Scale(0, 1, 1))
    found = predict_pairs(build_model(UserItemBiasConfig(), equal), np.array([1]), np.array([2]))
    assert (found.ratings.tolist(), found.fallback.tolist()) == ([1], [None])


def test_a_time_aware_model_gets_the_times(ratings: Ratings) -> None:
    model = build_model(BayesianMFConfig(n_factors=2, sweeps=8, burn_in=4, n_posterior_samples=4), ratings)
    assert isinstance(model, TimeAwareRecommender)
    assert ratings.timestamps is not None
    users, items = ratings.users[:50].astype(np.int64), ratings.items[:50].astype(np.int64)
    times = ratings.timestamps[:50]
    known = pl.Series([*times[:40].tolist(), *[None] * 10])
    found = predict_pairs(model, users, items, known).ratings
    at_times, anytime = model.predict_at(users, items, times), model.predict(users, items)
    np.testing.assert_allclose(found, np.append(at_times[:40], anytime[40:]), atol=1e-6)
    assert (at_times[:40] != anytime[:40]).any()
    biases = build_model(UserItemBiasConfig(), ratings)
    np.testing.assert_array_equal(
        predict_pairs(biases, users, items, known).ratings, biases.predict(users, items)
    )
