"""Groups of ratings by day, month, session and genres."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.models.features.time_groups import DAY_S, RatingGroups, RatingTimeline

ALL = {"time_effects": True, "sessions": (2, 5), "side_information": True}


@pytest.fixture(scope="module")
def train() -> Ratings:
    ratings = synthetic_ratings(40, 25, 500, seed=4).ratings
    assert ratings.timestamps is not None
    return ratings.take(np.lexsort((ratings.timestamps, ratings.users)))


def test_positions_count_the_owners_earlier_ratings_and_half_of_a_tie() -> None:
    timeline = RatingTimeline.of(np.array([0, 1, 1, 1, 1]), np.array([50, 10, 20, 20, 30]), n_owners=2)
    owners, timestamps = np.array([1, 1, 1, 1, 0]), np.array([5, 15, 20, 99, 50])
    assert timeline.positions(owners, timestamps).tolist() == [0, 1, 2, 4, 0]


def test_ratings_of_one_user_and_day_are_one_group(train: Ratings) -> None:
    assert train.timestamps is not None
    groups, found = RatingGroups.of(train, **ALL)
    assert set(groups.keys) == {"user_day", "day", "item_month", "session_2", "session_5", "user_genres"}
    days = train.timestamps // DAY_S
    pairs = np.stack([train.users, days], axis=1)
    distinct, expected = np.unique(pairs, axis=0, return_inverse=True)
    np.testing.assert_array_equal(found["user_day"], expected)
    assert len(groups.keys["user_day"]) == len(distinct)
    np.testing.assert_array_equal(found["day"], np.unique(days, return_inverse=True)[1])


def test_sessions_are_runs_of_a_users_ratings(train: Ratings) -> None:
    _, found = RatingGroups.of(train, **ALL)
    for user in np.unique(train.users):
        sessions = found["session_2"][train.users == user]
        np.testing.assert_array_equal(sessions - sessions[0], np.arange(len(sessions)) // 2)


def test_training_ratings_are_found_in_their_groups_and_others_in_none(train: Ratings) -> None:
    groups, indexed = RatingGroups.of(train, **ALL)
    found = groups.find(train.users, train.items, train.timestamps)
    for name in ("user_day", "day", "item_month", "user_genres"):
        np.testing.assert_array_equal(found[name], indexed[name], err_msg=name)
    assert train.timestamps is not None
    later = groups.find(train.users, train.items, train.timestamps + 1000 * DAY_S)
    assert (later["day"] == -1).all()
    assert (later["user_genres"] >= 0).all()
    unknown = groups.find(np.array([-1]), np.array([0]), train.timestamps[:1])
    assert all((group == -1).all() for group in unknown.values())
    without_timestamps = groups.find(train.users, train.items, None)
    assert (without_timestamps["user_day"] == -1).all()


def test_ratings_before_the_training_ratings_are_in_no_month_of_another_item(train: Ratings) -> None:
    groups, _ = RatingGroups.of(train, **ALL)
    assert train.timestamps is not None
    before = groups.find(train.users, train.items, np.full(len(train), train.timestamps.min() - 40 * DAY_S))
    assert (before["item_month"] == -1).all()


def test_groups_without_timestamps_are_those_by_genres(train: Ratings) -> None:
    groups, _ = RatingGroups.of(replace(train, timestamps=None), **ALL)
    assert set(groups.keys) == {"user_genres"}
    none, _ = RatingGroups.of(train, time_effects=False, sessions=(), side_information=False)
    assert not none.keys


def test_groups_are_restored_from_their_arrays(train: Ratings) -> None:
    groups, _ = RatingGroups.of(train, **ALL)
    restored = RatingGroups.from_state(groups.state())
    rows = train.users, train.items, train.timestamps
    for name, group in groups.find(*rows).items():
        np.testing.assert_array_equal(restored.find(*rows)[name], group, err_msg=name)
