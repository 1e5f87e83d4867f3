"""A blend is the weighted sum of its members' standardised scores."""

from __future__ import annotations

import numpy as np

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.implicit.blend_config import BlendMember, ScoreBlendConfig
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.models.implicit.item_knn_config import ItemKNNConfig
from movielens_recsys.models.scores import standardize


def test_scores_are_standardised_and_added(ratings: Ratings) -> None:
    members = BlendMember(model=EASEConfig()), BlendMember(model=ItemKNNConfig(), weight=0.25)
    config = ScoreBlendConfig(min_positive_rating=4, members=members)
    ease, knn = EASEConfig(min_positive_rating=4), ItemKNNConfig(min_positive_rating=4)
    users = np.unique(ratings.users[ratings.ratings >= 4])
    expected = standardize(build_model(ease, ratings).score(users)) + 0.25 * standardize(
        build_model(knn, ratings).score(users)
    )
    np.testing.assert_allclose(build_model(config, ratings).score(users), expected, rtol=1e-5, atol=1e-6)
