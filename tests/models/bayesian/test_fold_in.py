"""Rows of new users."""

from __future__ import annotations

import numpy as np

from movielens_recsys.models.bayesian.fold_in import draw_new_user
from movielens_recsys.models.bayesian.model import BayesianMF


def test_without_a_history_the_row_is_that_of_a_cold_user(model: BayesianMF) -> None:
    empty = np.zeros(0, np.int64)
    row = draw_new_user(model.samples, 3, empty, empty.astype(np.int8), np.random.default_rng(0))
    np.testing.assert_array_equal(row, model.samples.users[3][-1])


def test_high_ratings_give_higher_predictions_than_low_ones(model: BayesianMF) -> None:
    items = np.arange(20)
    high, low = (model.fold_in(items, np.full(20, rating, np.float32)) for rating in (5, 1))
    assert high.mean() > low.mean() + 0.5
    np.testing.assert_array_equal(high, model.fold_in(items, np.full(20, 5, np.float32)))
