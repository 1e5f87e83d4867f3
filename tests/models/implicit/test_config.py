"""The threshold of positives follows the scale where the configuration leaves it to it."""

from __future__ import annotations

import pytest

from movielens_recsys.data.scale import Scale
from movielens_recsys.errors import ConfigError
from movielens_recsys.models.implicit.ease_config import EASEConfig


def test_the_middle_is_the_first_level_at_or_above_it() -> None:
    middle = EASEConfig(min_positive_rating="middle")
    scales = (Scale(1, 5, 1), Scale(0.5, 5, 0.5), Scale(1, 10, 1), Scale(0, 1, 1), Scale(-10, 10))
    assert [middle.positive_threshold_on(scale) for scale in scales] == [3, 3, 6, 1, 0]


def test_a_stated_threshold_and_none_are_as_they_are() -> None:
    assert EASEConfig(min_positive_rating=4).positive_threshold_on(Scale(1, 10, 1)) == 4
    assert EASEConfig().positive_threshold_on(Scale(1, 10, 1)) is None
    with pytest.raises(ConfigError):
        EASEConfig.parse({"min_positive_rating": "top"})
