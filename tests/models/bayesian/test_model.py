"""Predictions of the Bayesian factor model for known, unknown and new users."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.bayesian.model import BayesianMF


@pytest.fixture
def longer(small: BayesianMFConfig) -> BayesianMFConfig:
    return small.model_copy(update={"sweeps": 120, "burn_in": 40, "n_posterior_samples": 4})


def one_rating_per_user(ratings: np.ndarray) -> Ratings:
    """Return ``ratings`` of one item, each by another user."""
    n = len(ratings)
    return Ratings(
        name="one-per-user",
        users=np.arange(n, dtype=np.int32),
        items=np.zeros(n, np.int32),
        ratings=ratings,
        timestamps=None,
        user_ids=np.arange(n),
        item_ids=np.array([7]),
        scale=Scale(1, 5, 1),
    )


def test_unknown_and_new_users_get_the_level_of_the_training_ratings(longer: BayesianMFConfig) -> None:
    ratings = np.random.default_rng(0).choice([4.0, 5.0], size=79).astype(np.float32)
    model = BayesianMF.fit(longer, one_rating_per_user(ratings), seed=0)
    unknown, item = np.array([-1]), np.array([0])
    predicted = model.predict(unknown, item)[0]
    assert predicted == pytest.approx(ratings.mean(), abs=0.3)
    assert model.fold_in(item[:0], ratings[:0])[0] == pytest.approx(predicted, abs=1e-3)


def test_a_scale_of_two_levels_has_one_cutpoint(longer: BayesianMFConfig) -> None:
    rng = np.random.default_rng(0)
    ratings = rng.choice([4.0, 5.0], size=200, p=[0.2, 0.8]).astype(np.float32)
    train = dataclasses.replace(one_rating_per_user(ratings), scale=Scale(4, 5, 1))
    model = BayesianMF.fit(longer, train, seed=0)
    assert model.predict(np.array([-1]), np.array([0]))[0] == pytest.approx(ratings.mean(), abs=0.15)


def test_timestamps_change_predictions(model: BayesianMF, train: Ratings) -> None:
    assert train.timestamps is not None
    at_timestamps = model.predict_at(train.users, train.items, train.timestamps)
    assert (at_timestamps != model.predict(train.users, train.items)).any()


def test_a_model_is_restored_from_its_arrays(model: BayesianMF, train: Ratings) -> None:
    restored = BayesianMF.from_state(model.config, model.domain, model.state())
    rows = train.users, train.items, train.timestamps
    np.testing.assert_array_equal(restored.predict_at(*rows), model.predict_at(*rows))
