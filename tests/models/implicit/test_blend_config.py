"""All members of a blend share one threshold for positives."""

from __future__ import annotations

import pytest

from movielens_recsys.errors import ConfigError
from movielens_recsys.models.implicit.blend_config import ScoreBlendConfig


def test_a_member_has_no_threshold_for_positives() -> None:
    members = [{"model": {"name": "ease"}}, {"model": {"name": "item_knn", "min_positive_rating": 4.0}}]
    with pytest.raises(ConfigError, match="expected it beside members"):
        ScoreBlendConfig.parse({"members": members})


@pytest.mark.parametrize("member", ["neural_cf", "list_blend"])
def test_a_member_is_a_ranking_model(member: str) -> None:
    with pytest.raises(ConfigError, match="members"):
        ScoreBlendConfig.parse({"members": [{"model": {"name": member}}]})
