"""What counts as a positive, and what a history without one gets."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.errors import ModelError
from movielens_recsys.models.baselines_config import UserItemBiasConfig
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.implicit.ease import EASE
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.models.implicit.model import interaction_matrix


def test_every_rating_is_a_positive_unless_a_threshold_is_given(ratings: Ratings) -> None:
    everything, liked = interaction_matrix(ratings, None), interaction_matrix(ratings, 4)
    assert everything.nnz == len(ratings)
    assert liked.nnz == np.count_nonzero(ratings.ratings >= 4)
    assert 0 < liked.nnz < everything.nnz


def test_an_item_rated_twice_is_one_positive(ratings: Ratings) -> None:
    twice = ratings.take(np.r_[np.arange(len(ratings)), 0, 0])
    assert interaction_matrix(twice, None).nnz == len(ratings)
    assert interaction_matrix(twice, None).max() == 1


def test_a_history_without_positives_gets_popularity(ratings: Ratings) -> None:
    model = EASE.fit(EASEConfig(min_positive_rating=4), ratings, seed=0)
    counts = np.bincount(ratings.items[ratings.ratings >= 4], minlength=ratings.n_items)
    disliked = model.score_history(np.array([3, 5]), np.array([1.0, 3.0]))
    np.testing.assert_array_equal(disliked, counts)
    assert not np.array_equal(model.score_history(np.array([3, 5]), np.array([4.0, 5.0])), counts)


def test_ratings_are_those_of_the_bias_model(ratings: Ratings) -> None:
    model, biases = build_model(EASEConfig(), ratings), build_model(UserItemBiasConfig(), ratings)
    users, items = np.array([1, 7]), np.array([2, 3])
    np.testing.assert_array_equal(model.predict(users, items), biases.predict(users, items))
    history = np.array([5.0, 2.0], np.float32)
    np.testing.assert_array_equal(model.fold_in(items, history), biases.fold_in(items, history))


def test_a_threshold_that_no_rating_reaches_is_refused(ratings: Ratings) -> None:
    with pytest.raises(ModelError, match="min_positive_rating = 6"):
        EASE.fit(EASEConfig(min_positive_rating=6), ratings, seed=0)
