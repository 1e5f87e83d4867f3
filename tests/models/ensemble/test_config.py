"""An ensemble has two members or more, and none of them is an ensemble."""

from __future__ import annotations

import pytest

from movielens_recsys.errors import ConfigError
from movielens_recsys.models.baselines_config import GlobalMeanConfig, PopularityConfig
from movielens_recsys.models.ensemble.config import EnsembleConfig

MEMBERS = [{"name": "global_mean"}, {"name": "popularity", "shrinkage": 3}]


def test_each_member_is_of_the_class_that_its_name_says() -> None:
    config = EnsembleConfig.parse({"members": MEMBERS, "blend": "ridge"})
    assert config.members == (GlobalMeanConfig(), PopularityConfig(shrinkage=3))


@pytest.mark.parametrize(
    "changes",
    [
        {"members": MEMBERS[:1]},
        {"members": [*MEMBERS, {"name": "ensemble", "members": MEMBERS, "blend": "mean"}]},
        {"blend": "median"},
        {"blend": None},
    ],
    ids=["one member", "an ensemble in an ensemble", "unknown blend", "no blend"],
)
def test_what_is_no_ensemble_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(changes))):
        EnsembleConfig.parse({"members": MEMBERS, "blend": "mean", **changes})
