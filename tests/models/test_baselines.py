"""Closed-form models against values worked out by hand or by dense algebra."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.errors import ModelError
from movielens_recsys.models.baselines import GlobalMean, Popularity, UserItemBias
from movielens_recsys.models.baselines_config import GlobalMeanConfig, PopularityConfig, UserItemBiasConfig


@pytest.fixture
def three_ratings() -> Ratings:
    """User 0 gave item 0 five stars and item 1 three; user 1 gave item 0 four; item 2 has no rating."""
    return Ratings(
        name="three",
        users=np.array([0, 0, 1], np.int32),
        items=np.array([0, 1, 0], np.int32),
        ratings=np.array([5, 3, 4], np.float32),
        timestamps=None,
        user_ids=np.array([10, 20]),
        item_ids=np.array([100, 200, 300]),
        scale=Scale(1, 5, 1),
    )


def test_global_mean(three_ratings: Ratings) -> None:
    model = GlobalMean.fit(GlobalMeanConfig(), three_ratings)
    np.testing.assert_allclose(model.predict(np.array([0, 1]), np.array([2, 1])), [4, 4])


def test_popularity_counts_and_shrinks(three_ratings: Ratings) -> None:
    model = Popularity.fit(PopularityConfig(shrinkage=2), three_ratings)
    np.testing.assert_array_equal(model.score(np.array([1])), [[2, 1, 0]])
    # (5 + 4 + 2 x 4) / (2 + 2), (3 + 2 x 4) / (1 + 2), and the global mean without ratings
    np.testing.assert_allclose(model.predict(np.zeros(3, int), np.arange(3)), [17 / 4, 11 / 3, 4])


def test_popularity_without_shrinkage_leaves_unrated_items_at_the_mean(three_ratings: Ratings) -> None:
    model = Popularity.fit(PopularityConfig(shrinkage=0), three_ratings)
    np.testing.assert_allclose(model.predict(np.zeros(3, int), np.arange(3)), [4.5, 3, 4])


def test_biases_solve_the_ridge_regression_exactly() -> None:
    ratings = synthetic_ratings(40, 30, 500, seed=3).ratings
    config = UserItemBiasConfig(user_regularization=5, item_regularization=3)
    model = UserItemBias.fit(config, ratings)
    design = np.zeros((len(ratings), 70))
    design[np.arange(len(ratings)), ratings.users] = 1
    design[np.arange(len(ratings)), 40 + ratings.items] = 1
    penalty = np.diag(np.r_[np.full(40, 5.0), np.full(30, 3.0)])
    residual = ratings.ratings.astype(np.float64) - ratings.ratings.mean(dtype=np.float64)
    exact = np.linalg.solve(design.T @ design + penalty, design.T @ residual)
    np.testing.assert_allclose(np.r_[model.user_bias[:-1], model.item_bias], exact, atol=1e-8)


def test_fold_in_of_a_known_users_history_gives_their_bias(three_ratings: Ratings) -> None:
    model = UserItemBias.fit(UserItemBiasConfig(), three_ratings)
    # At the optimum, a user's bias given the item biases is the ridge mean of the residuals.
    assert model.new_user_bias(np.array([0, 1]), np.array([5, 3])) == pytest.approx(model.user_bias[0])
    expected = np.clip(model.mean + model.user_bias[0] + model.item_bias, 1, 5)
    np.testing.assert_allclose(model.fold_in(np.array([0, 1]), np.array([5, 3])), expected, rtol=1e-6)


def test_an_unknown_user_has_the_mean_bias() -> None:
    ratings = synthetic_ratings(40, 30, 500, seed=3).ratings
    ratings = ratings.take(np.flatnonzero(ratings.users > 0))
    model = UserItemBias.fit(UserItemBiasConfig(), ratings)
    expected = model.domain.clip(model.mean + model.user_bias[1:-1].mean() + model.item_bias)
    every = np.arange(30)
    for user in (0, -1):
        np.testing.assert_allclose(model.predict(np.full(30, user), every), expected, rtol=1e-6)
    np.testing.assert_allclose(model.fold_in(every[:0], np.array([])), expected, rtol=1e-6)


def test_unpenalised_biases_are_solvable_too(three_ratings: Ratings) -> None:
    config = UserItemBiasConfig(user_regularization=0, item_regularization=0)
    model = UserItemBias.fit(config, three_ratings)
    np.testing.assert_allclose(model.predict(three_ratings.users, three_ratings.items), [5, 3, 4], atol=1e-4)


def test_nothing_to_fit_is_refused(three_ratings: Ratings) -> None:
    nothing = three_ratings.take(np.array([], np.int64))
    for model, config in (
        (GlobalMean, GlobalMeanConfig()),
        (Popularity, PopularityConfig()),
        (UserItemBias, UserItemBiasConfig()),
    ):
        with pytest.raises(ModelError, match="no training ratings"):
            model.fit(config, nothing)
