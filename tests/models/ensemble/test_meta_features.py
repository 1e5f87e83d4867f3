"""Traits by hand, and a newcomer who has the same history as somebody known."""

from __future__ import annotations

import numpy as np

from movielens_recsys.data.ratings import Ratings, Scale
from movielens_recsys.models.ensemble.meta_features import MetaFeatures

STARS = [1.0, 3.0, 5.0, 5.0, 4.0]
RATINGS = Ratings(
    name="tiny",
    users=np.array([0, 0, 0, 0, 2], np.int32),
    items=np.array([0, 1, 0, 1, 1], np.int32),
    ratings=np.array(STARS, np.float32),
    timestamps=None,
    user_ids=np.arange(3),
    item_ids=np.arange(3),
    scale=Scale(1, 5, 1),
)


def test_traits_by_hand() -> None:
    traits = MetaFeatures.of(RATINGS)
    mean = np.mean(STARS)
    np.testing.assert_allclose(traits.users[0], [np.log(5), 3.5, np.sqrt(2.75), 0.25, 0.25, 0.5])
    np.testing.assert_allclose(traits.items[:2], [[np.log(3), 3.0], [np.log(4), 4.0]])
    nobody = [0, mean, 0, 0, 0, 0]
    np.testing.assert_allclose(traits.users[[1, 3]], [nobody, nobody])
    np.testing.assert_allclose(traits.pairs(np.array([-1]), np.array([-1])), [[*nobody, 0, mean]])


def test_a_newcomer_has_the_traits_of_their_history() -> None:
    traits = MetaFeatures.of(RATINGS)
    rows = traits.newcomer(np.array(STARS[:4], np.float32), RATINGS.scale)
    np.testing.assert_allclose(rows, traits.pairs(np.zeros(3, np.int64), np.arange(3)))
    nobody = traits.newcomer(np.array([], np.float32), RATINGS.scale)
    np.testing.assert_allclose(nobody, traits.pairs(np.full(3, -1), np.arange(3)))
