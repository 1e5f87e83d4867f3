"""Similar items from the model or from who rated both, and items by title."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.errors import DataError, UsageError
from movielens_recsys.models.baselines_config import GlobalMeanConfig
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.implicit.item_knn_config import ItemKNNConfig
from movielens_recsys.recommender import SimilarityRecommender
from movielens_recsys.recommending.similar_items import CO_RATING, find_item, similar_items


@pytest.fixture(scope="module")
def titled(ratings: Ratings) -> Ratings:
    """Titles of every kind: a part of another one, the same twice, none."""
    titles = ["Alien", "Aliens", "Alien 3", "Heat", "Heat", None, "Amélie", *(f"T{n}" for n in range(33))]
    table = pl.DataFrame({"item_id": ratings.item_ids, "title": titles, "genres": [["Drama"]] * 40})
    return replace(ratings, item_table=table)


def test_items_are_those_with_the_highest_similarity(titled: Ratings) -> None:
    model = build_model(ItemKNNConfig(neighbours=6), titled)
    assert isinstance(model, SimilarityRecommender)
    found = similar_items(model, titled, 3, 4)
    similarities = model.item_similarities(3)
    expected = np.sort(np.delete(similarities, 3))[::-1][:4]
    np.testing.assert_allclose([line.similarity for line in found.items], expected)
    assert (found.item_id, found.title) == (titled.item_ids[3], "Heat")
    assert all(line.genres == ("Drama",) for line in found.items)
    assert len(similar_items(model, titled, 3, 40).items) == (np.delete(similarities, 3) > 0).sum()


def test_a_model_without_similarities_leaves_it_to_who_rated_both(titled: Ratings) -> None:
    found = similar_items(build_model(GlobalMeanConfig(), titled), titled, 3, 5)
    assert found.meaning == CO_RATING
    table = np.zeros((titled.n_users, titled.n_items))
    table[titled.users, titled.items] = 1
    cosines = table.T @ table[:, 3] / np.sqrt(table.sum(0) * table[:, 3].sum())
    expected = np.sort(np.delete(cosines, 3))[::-1][:5]
    np.testing.assert_allclose([line.similarity for line in found.items], expected)


def test_an_item_of_which_nothing_is_known_is_refused(titled: Ratings) -> None:
    without = titled.take(np.flatnonzero(titled.items != 3))
    for config in (GlobalMeanConfig(), ItemKNNConfig()):
        with pytest.raises(DataError, match=f"nothing is like item {titled.item_ids[3]}"):
            similar_items(build_model(config, without), without, 3)


def test_an_item_is_found_by_id_then_by_title_then_by_a_part_of_it(titled: Ratings) -> None:
    assert find_item(titled, str(titled.item_ids[5])) == 5
    assert find_item(titled, "alien") == 0, "a whole title is meant before a part of others"
    assert find_item(titled, "ALIENS") == 1
    assert find_item(titled, "amél") == 6
    with pytest.raises(UsageError, match=r"2 titles hold 'Heat': \d+ Heat; \d+ Heat; expected"):
        find_item(titled, "Heat")
    with pytest.raises(UsageError, match=r"35 titles hold 'T': \d+ Heat; .*; \.\.\.; expected"):
        find_item(titled, "T")
    with pytest.raises(DataError, match="no item of"):
        find_item(titled, "Aliem")
    with pytest.raises(UsageError, match="the item is empty"):
        find_item(titled, "")
