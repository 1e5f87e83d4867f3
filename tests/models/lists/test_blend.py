"""A blend is the weighted sum of what its members say, on one footing."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.errors import ConfigError
from movielens_recsys.models.catalogue import build
from movielens_recsys.models.config import BlendMember, EaseConfig, ItemKNNConfig, ListBlendConfig
from movielens_recsys.models.lists.blend import standardised


def test_scores_are_standardised_and_added(ratings: Ratings) -> None:
    ease, knn = EaseConfig(positive_from=4), ItemKNNConfig(positive_from=4)
    config = ListBlendConfig(members=(BlendMember(model=ease), BlendMember(model=knn, weight=0.25)))
    users = np.unique(ratings.users[ratings.ratings >= 4])
    expected = standardised(build(ease, ratings).score(users)) + 0.25 * standardised(
        build(knn, ratings).score(users)
    )
    np.testing.assert_allclose(build(config, ratings).score(users), expected, rtol=1e-5, atol=1e-6)


def test_members_that_see_different_positives_are_refused() -> None:
    members = [{"model": {"name": "ease"}}, {"model": {"name": "item_knn", "positive_from": 4.0}}]
    with pytest.raises(ConfigError, match="disagree on positive_from"):
        ListBlendConfig.parse({"members": members})
