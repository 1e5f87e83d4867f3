"""EASE against one constrained ridge regression per item."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.errors import ModelError
from movielens_recsys.models.implicit.ease import EASE
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.models.implicit.model import interaction_matrix


@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_each_column_is_the_ridge_regression_on_all_other_items(ratings: Ratings, damping: float) -> None:
    model = EASE.fit(EASEConfig(regularization=7, user_damping=damping), ratings, seed=0)
    table = interaction_matrix(ratings, None).toarray().astype(np.float64)
    n = table.sum(1)
    weights = n**-damping * n.sum() / (n ** (1 - damping)).sum()
    for item in (0, 11, 29):
        others = np.delete(np.arange(30), item)
        x, y = table[:, others], table[:, item]
        exact = np.linalg.solve((x.T * weights) @ x + 7 * np.eye(29), (x.T * weights) @ y)
        np.testing.assert_allclose(model.learned["mapping"][others, item], exact, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(np.diag(model.learned["mapping"]), 0)


def test_items_beyond_max_items_rank_below_all_others(ratings: Ratings) -> None:
    model = EASE.fit(EASEConfig(max_items=10, regularization=1), ratings, seed=0)
    counts = np.bincount(ratings.items, minlength=30)
    scored = np.flatnonzero(model.scored)
    assert len(scored) == 10
    assert counts[scored].min() >= np.delete(counts, scored).max()
    scores = model.score(np.arange(50))
    assert scores[:, scored].min() < 0, "a score of 0 would be above it"
    assert (scores[:, scored].min(axis=1) > scores[:, ~model.scored].max(axis=1)).all()


def test_similarities_are_partial_correlations(ratings: Ratings) -> None:
    config = EASEConfig(max_items=10, regularization=3, user_damping=0)
    model = EASE.fit(config, ratings, seed=0)
    items = np.flatnonzero(model.scored)
    table = interaction_matrix(ratings, None).toarray().astype(np.float64)[:, items]
    precision = np.linalg.inv(table.T @ table + 3 * np.eye(10))
    exact = -precision / np.sqrt(np.outer(np.diag(precision), np.diag(precision)))
    found, others = model.item_similarities(int(items[3])), np.delete(np.arange(10), 3)
    np.testing.assert_allclose(found[items[others]], exact[3, others], rtol=1e-4, atol=1e-6)
    assert not found[~model.scored].any()
    assert not model.item_similarities(int(np.flatnonzero(~model.scored)[0])).any()


def test_equations_without_a_solution_are_refused(ratings: Ratings) -> None:
    one_user = ratings.take(np.flatnonzero(ratings.users == ratings.users[0]))
    with pytest.raises(ModelError, match=r"raise model\.regularization"):
        EASE.fit(EASEConfig(regularization=1e-30), one_user, seed=0)
