"""EASE against one constrained ridge regression per item."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

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


def test_similarities_are_what_having_the_item_adds_to_a_score(ratings: Ratings) -> None:
    model = EASE.fit(EASEConfig(max_items=10), ratings, seed=0)
    item = int(np.flatnonzero(model.scored)[3])
    alone = model.score_histories(_history_of(item, 30))
    np.testing.assert_allclose(model.item_similarities(item), alone[0], rtol=1e-6)
    assert not model.item_similarities(int(np.flatnonzero(~model.scored)[0])).any()


def _history_of(item: int, n_items: int) -> sparse.csr_array:
    return sparse.csr_array((np.ones(1, np.float32), ([0], [item])), shape=(1, n_items))


def test_equations_without_a_solution_are_refused(ratings: Ratings) -> None:
    one_user = ratings.take(np.flatnonzero(ratings.users == ratings.users[0]))
    with pytest.raises(ModelError, match=r"raise model\.regularization"):
        EASE.fit(EASEConfig(regularization=1e-30), one_user, seed=0)
