"""Item-kNN on data small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.models.implicit.item_knn import ItemKNN
from movielens_recsys.models.implicit.item_knn_config import ItemKNNConfig
from movielens_recsys.models.implicit.model import interaction_matrix


@pytest.fixture
def four_items() -> Ratings:
    """Users 0 and 1 rated items 0 and 1, user 2 items 1 and 2; item 3 has no rating."""
    return Ratings(
        name="four",
        users=np.array([0, 0, 1, 1, 2, 2], np.int32),
        items=np.array([0, 1, 0, 1, 1, 2], np.int32),
        ratings=np.array([5, 3, 4, 4, 2, 1], np.float32),
        timestamps=None,
        user_ids=np.arange(3),
        item_ids=np.arange(4),
        scale=Scale(1, 5, 1),
    )


def test_scores_are_sums_of_shrunk_cosines(four_items: Ratings) -> None:
    model = ItemKNN.fit(ItemKNNConfig(neighbours=4, shrinkage=1), four_items, seed=0)
    near, far = 2 / (np.sqrt(2 * 3) + 1), 1 / (np.sqrt(3 * 1) + 1)
    np.testing.assert_allclose(model.score(np.array([0, 2])), [[near, near, far, -1], [near, far, far, -1]])


def test_only_the_nearest_neighbours_count(four_items: Ratings) -> None:
    model = ItemKNN.fit(ItemKNNConfig(neighbours=1, shrinkage=1), four_items, seed=0)
    near, far = 2 / (np.sqrt(2 * 3) + 1), 1 / (np.sqrt(3 * 1) + 1)
    # The nearest of item 1 is item 0: having rated item 2 says nothing of it any more.
    np.testing.assert_allclose(model.score(np.array([2])), [[near, 0, far, -1]], rtol=1e-6)


def test_similarities_of_an_item_are_those_of_its_neighbours(ratings: Ratings) -> None:
    model = ItemKNN.fit(ItemKNNConfig(neighbours=5, shrinkage=2), ratings, seed=0)
    found = model.item_similarities(11)
    table = interaction_matrix(ratings, None).toarray().astype(np.float64)
    common, counts = table.T @ table[:, 11], table.sum(0)
    exact = common / (np.sqrt(counts * counts[11]) + 2)
    alike = np.flatnonzero(found)
    assert len(alike) == 5
    np.testing.assert_allclose(found[alike], exact[alike], rtol=1e-6)
    exact[11] = 0
    assert found[alike].min() >= np.sort(exact)[-5] - 1e-6
