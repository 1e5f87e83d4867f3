"""Meta-features by hand, and a new user with the same history as a known one."""

from __future__ import annotations

import numpy as np

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
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


def test_features_by_hand() -> None:
    features = MetaFeatures.of(RATINGS)
    mean = np.mean(STARS)
    np.testing.assert_allclose(features.users[0], [np.log(5), 3.5, np.sqrt(2.75), 0.25, 0.25, 0.5])
    np.testing.assert_allclose(features.items[:2], [[np.log(3), 3.0], [np.log(4), 4.0]])
    unknown = [0, mean, 0, 0, 0, 0]
    np.testing.assert_allclose(features.users[[1, 3]], [unknown, unknown])
    np.testing.assert_allclose(features.pairs(np.array([-1]), np.array([-1])), [[*unknown, 0, mean]])


def test_a_new_user_has_the_features_of_their_history() -> None:
    features = MetaFeatures.of(RATINGS)
    rows = features.new_user(np.array(STARS[:4], np.float32), RATINGS.scale)
    np.testing.assert_allclose(rows, features.pairs(np.zeros(3, np.int64), np.arange(3)))
    unknown = features.new_user(np.array([], np.float32), RATINGS.scale)
    np.testing.assert_allclose(unknown, features.pairs(np.full(3, -1), np.arange(3)))
