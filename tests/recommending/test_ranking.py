"""The best items: in the order of scores, blocks or not, and without what was rated."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.baselines_config import PopularityConfig, UserItemBiasConfig
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.recommender import UNKNOWN
from movielens_recsys.recommending import ranking
from movielens_recsys.recommending.ranking import rank_for_users, rank_in_blocks, top_unrated, uses_history
from movielens_recsys.recommending.rated_items import RatedItems


@pytest.mark.parametrize("k", [1, 3, 10, 100])
@pytest.mark.parametrize("levels", [2, 5, 1_000])
def test_the_top_is_that_of_a_full_sort_with_ties_by_index(k: int, levels: int) -> None:
    rng = np.random.default_rng(levels)
    scores = rng.integers(0, levels, 60).astype(np.float32)
    rated = rng.choice(60, 15, replace=False)
    order = [item for item in np.lexsort((np.arange(60), -scores)) if item not in rated]
    assert top_unrated(scores, rated, k).tolist() == order[:k]


def test_who_has_rated_everything_gets_nothing() -> None:
    assert top_unrated(np.ones(4, np.float32), np.array([2, 0, 1, 3]), 10).tolist() == []
    assert top_unrated(np.ones(4, np.float32), np.array([2, 0, 1]), 10).tolist() == [3]


def test_blocks_of_users_give_what_one_block_gives(ratings: Ratings, monkeypatch: pytest.MonkeyPatch) -> None:
    model, rated = build_model(EASEConfig(), ratings), RatedItems.of(ratings)
    users = np.array([5, UNKNOWN, 7, 5, 0, 29])
    whole = rank_for_users(model, users, rated, 4)
    monkeypatch.setattr(ranking, "BLOCK_SCORES", 2 * ratings.n_items)
    blocks = list(rank_in_blocks(model, users, rated, 4))
    assert len(blocks) == 3
    for field in ("positions", "ranks", "items", "scores", "predicted"):
        joined = np.concatenate([getattr(block, field) for block in blocks])
        np.testing.assert_array_equal(joined, getattr(whole, field))
    assert whole.positions.tolist() == sorted(list(range(6)) * 4)
    np.testing.assert_array_equal(whole.items[whole.positions == 0], whole.items[whole.positions == 3])


def test_an_unknown_user_gets_the_fallback_s_items(ratings: Ratings) -> None:
    ranked = rank_for_users(
        build_model(EASEConfig(), ratings), np.array([UNKNOWN]), RatedItems.of(ratings), 5
    )
    popular = rank_for_users(build_model(PopularityConfig(), ratings), np.array([UNKNOWN]), {UNKNOWN: []}, 5)
    np.testing.assert_array_equal(ranked.items, popular.items)


def test_scores_and_predictions_are_the_model_s(ratings: Ratings) -> None:
    model = build_model(UserItemBiasConfig(), ratings)
    ranked = rank_for_users(model, np.array([3, 4]), RatedItems.of(ratings), 5)
    owners = np.array([3, 4])[ranked.positions]
    np.testing.assert_array_equal(ranked.predicted, model.predict(owners, ranked.items))
    np.testing.assert_array_equal(
        ranked.scores, model.score(np.array([3, 4]))[ranked.positions, ranked.items]
    )


def test_a_history_of_which_nothing_is_used_leaves_the_fallback(ratings: Ratings) -> None:
    likes = build_model(EASEConfig(min_positive_rating=4), ratings)
    biases = build_model(UserItemBiasConfig(), ratings)
    item, liked, disliked = np.array([3]), np.array([5], np.float32), np.array([1], np.float32)
    assert uses_history(likes, item, liked)
    assert not uses_history(likes, item, disliked)
    assert uses_history(biases, item, disliked)
    assert not uses_history(biases, item[:0], liked[:0])
