"""A blend is the weighted sum of its members' standardised scores."""

from __future__ import annotations

import numpy as np

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.implicit.blend import ScoreBlend
from movielens_recsys.models.implicit.blend_config import BlendMember, ScoreBlendConfig
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.models.implicit.item_knn_config import ItemKNNConfig
from movielens_recsys.models.implicit.model import ImplicitModel
from movielens_recsys.models.scores import standardize


def test_scores_are_standardised_and_added(ratings: Ratings) -> None:
    members = BlendMember(model=EASEConfig()), BlendMember(model=ItemKNNConfig(), weight=0.25)
    config = ScoreBlendConfig(min_positive_rating=4, members=members)
    ease, knn = EASEConfig(min_positive_rating=4), ItemKNNConfig(min_positive_rating=4)
    users = np.unique(ratings.users[ratings.ratings >= 4])
    model = build_model(config, ratings)
    assert isinstance(model, ScoreBlend)
    histories = model.histories[users]
    alone = [build_model(member, ratings) for member in (ease, knn)]
    assert all(isinstance(member, ImplicitModel) for member in alone)
    by_ease, by_knn = (standardize(member.score_histories(histories)) for member in alone)
    found, expected = model.score(users), by_ease + 0.25 * by_knn
    np.testing.assert_allclose(found[:, model.scored], expected[:, model.scored], rtol=1e-5, atol=1e-6)
    assert (found[:, ~model.scored] < found[:, model.scored].min(axis=1, keepdims=True)).all()
    similar, weights = model.item_similarities(3), (1, 0.25)
    each = (standardize(member.item_similarities(3)[None])[0] for member in alone)
    total = sum(weight * similarities for weight, similarities in zip(weights, each, strict=True))
    np.testing.assert_allclose(similar, total, rtol=1e-5, atol=1e-6)
