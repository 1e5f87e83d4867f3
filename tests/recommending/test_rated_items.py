"""What each user has rated, from ratings or from what a model keeps."""

from __future__ import annotations

import numpy as np

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.baselines_config import UserItemBiasConfig
from movielens_recsys.models.composite_config import RatingRankingConfig
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.recommender import UNKNOWN
from movielens_recsys.recommending.rated_items import RatedItems


def test_each_user_has_the_items_of_their_rows(ratings: Ratings) -> None:
    mixed = ratings.take(np.random.default_rng(0).permutation(len(ratings)))
    rated = RatedItems.of(mixed)
    for user in range(ratings.n_users):
        assert sorted(rated[user]) == sorted(ratings.items[ratings.users == user])
    assert len(rated[UNKNOWN]) == 0


def test_a_ranking_model_keeps_its_positives_and_a_rating_model_nothing(ratings: Ratings) -> None:
    ease = EASEConfig(min_positive_rating=4)
    both = RatingRankingConfig(stars=UserItemBiasConfig(), lists=ease)
    for config in (ease, both):
        kept = RatedItems.kept_by(build_model(config, ratings))
        for user in range(ratings.n_users):
            liked = (ratings.users == user) & (ratings.ratings >= 4)
            assert sorted(kept[user]) == sorted(ratings.items[liked])
    nothing = RatedItems.kept_by(build_model(UserItemBiasConfig(), ratings))
    assert all(len(nothing[user]) == 0 for user in range(ratings.n_users))
