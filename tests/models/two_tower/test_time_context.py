"""Groups and ages of pairs at a timestamp."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.two_tower.time_context import TimeContext


def test_training_ratings_are_in_their_own_groups_and_ages_count_from_the_first(
    train: Ratings, small: HybridVAEConfig
) -> None:
    lookup = TimeContext.of(small, train)
    assert lookup.names == ("day", "item_month", "session_25", "session_3", "session_8", "user_day")
    columns = lookup.columns(train.users, train.items, train.timestamps)
    assert columns.shape == (len(train), lookup.width)
    assert (columns >= 0).all()
    assert train.timestamps is not None
    user_ages = columns[:, len(lookup.names)]
    for user in np.unique(train.users):
        own = train.users == user
        timestamps = train.timestamps[own]
        np.testing.assert_array_equal(user_ages[own], timestamps - timestamps.min())


def test_all_is_unknown_without_a_timestamp_and_for_unknown_users(
    train: Ratings, small: HybridVAEConfig
) -> None:
    lookup = TimeContext.of(small, train)
    assert (lookup.columns(train.users, train.items, None) == -1).all()
    unknown = lookup.columns(np.array([-1]), np.array([0]), np.array([train.timestamps[0]]))[0]
    assert unknown[lookup.names.index("user_day")] == -1
    assert unknown[len(lookup.names)] == -1
    assert unknown[len(lookup.names) + 1] >= 0


def test_ratings_without_timestamps_have_no_columns(train: Ratings, small: HybridVAEConfig) -> None:
    lookup = TimeContext.of(small, replace(train, timestamps=None))
    assert lookup.width == 0
    assert lookup.columns(train.users, train.items, None).shape == (len(train), 0)


def test_a_lookup_is_restored_from_its_arrays(train: Ratings, small: HybridVAEConfig) -> None:
    lookup = TimeContext.of(small, train)
    restored = TimeContext.from_state(lookup.state())
    rows = train.users, train.items, train.timestamps
    np.testing.assert_array_equal(restored.columns(*rows), lookup.columns(*rows))
