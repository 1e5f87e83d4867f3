"""Splits: the same on every machine, without a leak, and exactly GroupLens' own where those exist."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movielens_recsys.data.config import (
    GlobalTemporalSplit,
    KFoldSplit,
    LeaveLastSplit,
    OfficialSplit,
    RandomSplit,
    UserTemporalSplit,
)
from movielens_recsys.data.ratings import Ratings, Scale
from movielens_recsys.data.splits.split import make_split, split_name, split_summary
from movielens_recsys.errors import SplitError
from movielens_recsys.seeds import frozen_permutation


def table(users, items, stars, times):
    user_ids, user_index = np.unique(np.asarray(users, dtype=np.int64), return_inverse=True)
    item_ids, item_index = np.unique(np.asarray(items, dtype=np.int64), return_inverse=True)
    return Ratings(
        name="table",
        users=user_index.astype(np.int32),
        items=item_index.astype(np.int32),
        ratings=np.asarray(stars, dtype=np.float32),
        timestamps=None if times is None else np.asarray(times, dtype=np.int64),
        user_ids=user_ids,
        item_ids=item_ids,
        scale=Scale(1, 5, 1),
    )


@pytest.fixture(scope="module")
def arithmetic() -> Ratings:
    """3,000 rows by arithmetic alone, so that no random generator stands behind the pinned hashes."""
    row = np.arange(3000)
    return table(row * 7919 % 61, row // 61 + row * 31 % 97, 1 + row * row % 5, 10**9 + row * 48271 % 5003)


@pytest.fixture(scope="module")
def ml_100k(real_data_folder) -> Ratings:
    rows = np.loadtxt(real_data_folder / "ml-100k" / "u.data", dtype=np.int64)
    return replace(table(*rows.T), name="ml-100k")


PINNED = [
    (RandomSplit(), "99db079baab54061"),
    (RandomSplit(validation=0.05, test=0.2, seed=7), "de8138f0f6541d08"),
    (KFoldSplit(fold=3), "0abfae8f209ebc7b"),
    (UserTemporalSplit(), "d63184005da4b7ae"),
    (LeaveLastSplit(k=2), "6c8a6eb109ae65b9"),
    (GlobalTemporalSplit(), "4022aa4170424ee8"),
]
PINNED_ML_100K = [
    (RandomSplit(), "c112d5333ee0c63e"),
    (KFoldSplit(validation=0.05), "d87fe761aa4f1c0c"),
    (OfficialSplit(name="u1"), "7ff2ebd50fe109ae"),
    (OfficialSplit(name="ua"), "acde222fa3027355"),
    (UserTemporalSplit(), "ccc35aa938bdd52f"),
    (LeaveLastSplit(), "871389ad677b35c2"),
    (GlobalTemporalSplit(), "0a50f1352757fe8e"),
]


def _label(value):
    return None if isinstance(value, str) else split_name(value)


@pytest.mark.parametrize(("config", "expected"), PINNED, ids=_label)
def test_a_split_is_the_same_on_every_machine(arithmetic, config, expected):
    assert make_split(arithmetic, config).hash[:16] == expected


@pytest.mark.real_data
@pytest.mark.parametrize(("config", "expected"), PINNED_ML_100K, ids=_label)
def test_a_split_of_ml_100k_is_the_same_on_every_machine(ml_100k, config, expected):
    assert make_split(ml_100k, config).hash[:16] == expected


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["u1", "u2", "u3", "u4", "u5", "ua", "ub"])
def test_official_splits_are_grouplens_files(ml_100k, real_data_folder, name):
    split = make_split(ml_100k, OfficialSplit(name=name, validation=0))
    for part, suffix in (("test", "test"), ("train", "base")):
        theirs = np.loadtxt(real_data_folder / "ml-100k" / f"{name}.{suffix}", dtype=np.int64)
        ours = split.part(part)
        rows = np.stack(
            [ours.user_ids[ours.users], ours.item_ids[ours.items], ours.ratings, ours.timestamps], axis=1
        ).astype(np.int64)
        assert {tuple(row) for row in rows.tolist()} == {tuple(row) for row in theirs.tolist()}


@pytest.mark.real_data
def test_ten_folds_are_the_anchors_rows(ml_100k):
    permutation = np.random.RandomState(0).permutation(len(ml_100k))
    n_test = len(ml_100k) // 10
    remaining = permutation[n_test:]
    n_validation = int(0.05 * len(remaining))
    split = make_split(ml_100k, KFoldSplit(folds=10, fold=0, validation=0.05))
    assert np.array_equal(split.test, np.sort(permutation[:n_test]))
    assert np.array_equal(split.validation, np.sort(remaining[:n_validation]))
    assert np.array_equal(split.train, np.sort(remaining[n_validation:]))
    assert np.array_equal(split.test, make_split(ml_100k, RandomSplit(test=0.1)).test)


def test_folds_test_every_row_once(arithmetic):
    tests = [make_split(arithmetic, KFoldSplit(folds=7, fold=fold)).test for fold in range(7)]
    assert np.array_equal(np.sort(np.concatenate(tests)), np.arange(len(arithmetic)))


def test_random_split_follows_the_permutation(arithmetic):
    permutation = frozen_permutation(3, len(arithmetic))
    split = make_split(arithmetic, RandomSplit(validation=0.29, test=0.1, seed=3))
    assert np.array_equal(split.test, np.sort(permutation[:300]))
    assert np.array_equal(split.validation, np.sort(permutation[300:1170]))


def test_leave_last_takes_each_users_last_and_spares_short_histories():
    ratings = table([1, 1, 1, 1, 2, 2], [1, 2, 3, 4, 1, 2], [3, 4, 5, 1, 2, 3], [40, 10, 30, 20, 5, 6])
    split = make_split(ratings, LeaveLastSplit(k=1))
    assert split.test.tolist() == [0]
    assert split.validation.tolist() == [2]
    assert split.train.tolist() == [1, 3, 4, 5]


def test_equal_times_keep_the_order_of_the_file():
    ratings = table([1] * 4 + [2], [1, 2, 3, 4, 1], [3] * 5, [7, 7, 7, 7, 6])
    split = make_split(ratings, LeaveLastSplit(k=1))
    assert (split.validation.tolist(), split.test.tolist()) == ([2], [3])
    split = make_split(ratings, GlobalTemporalSplit(validation=0.2, test=0.2))
    assert (split.validation.tolist(), split.test.tolist()) == ([2], [3])


def test_global_temporal_split_cuts_everyone_at_one_time(arithmetic):
    split = make_split(arithmetic, GlobalTemporalSplit())
    assert (len(split.validation), len(split.test)) == (300, 300)
    times = arithmetic.timestamps
    assert times[split.train].max() <= times[split.validation].min()
    assert times[split.validation].max() <= times[split.test].min()


def test_cold_users_and_items_are_kept_and_counted():
    ratings = table([1, 1, 2, 3, 1], [1, 2, 1, 2, 3], [1, 2, 3, 4, 5], [1, 2, 3, 9, 10])
    split = make_split(ratings, GlobalTemporalSplit(validation=0, test=0.4))
    summary = split_summary(split)
    assert split.test.tolist() == [3, 4]
    assert (summary.test.cold_users, summary.test.cold_items, summary.test.cold_ratings) == (1, 1, 2)
    assert (summary.train.ratings, summary.train.users, summary.train.items) == (3, 2, 2)
    assert summary.train.cold_ratings == summary.validation.ratings == 0
    assert summary.to_json()["protocol"] == "global temporal 60/0/40"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (KFoldSplit(folds=5, fold=5), "expected a fold from 0 to 4"),
        (OfficialSplit(name="u1"), "no official split u1"),
        (RandomSplit(test=0.1), "leaves the test part of 5 ratings empty"),
        (RandomSplit(validation=0.5, test=0.6), "leaves the train part of 5 ratings empty"),
        (LeaveLastSplit(k=2), "leaves the test part of 5 ratings empty"),
    ],
    ids=_label,
)
def test_a_protocol_that_does_not_fit_is_refused_with_a_next_step(config, words):
    ratings = table([1, 1, 1, 2, 2], [1, 2, 3, 1, 2], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5])
    with pytest.raises(SplitError, match=words) as caught:
        make_split(ratings, config)
    assert caught.value.next_step


@pytest.mark.parametrize("config", [UserTemporalSplit(), LeaveLastSplit(), GlobalTemporalSplit()], ids=_label)
@pytest.mark.parametrize("times", [None, [0] * 5], ids=["no times", "all times equal"])
def test_order_in_time_needs_times(config, times):
    ratings = table([1, 1, 1, 2, 2], [1, 2, 3, 1, 2], [1, 2, 3, 4, 5], times)
    with pytest.raises(SplitError, match="have no times"):
        make_split(ratings, config)


def test_no_ratings_no_split(arithmetic):
    with pytest.raises(SplitError, match="has no ratings"):
        make_split(arithmetic.take(np.arange(0)), GlobalTemporalSplit())


configs = st.one_of(
    st.builds(RandomSplit, validation=st.floats(0, 0.5), test=st.floats(0.01, 0.6), seed=st.integers(0, 9)),
    st.builds(KFoldSplit, folds=st.just(5), fold=st.integers(0, 4), validation=st.floats(0, 0.9)),
    st.builds(UserTemporalSplit, validation=st.floats(0, 0.5), test=st.floats(0.01, 0.6)),
    st.builds(LeaveLastSplit, k=st.integers(1, 3)),
    st.builds(GlobalTemporalSplit, validation=st.floats(0, 0.5), test=st.floats(0.01, 0.6)),
)
rows = st.lists(
    st.tuples(st.integers(1, 6), st.integers(1, 40), st.integers(1, 5), st.integers(0, 30)),
    min_size=2,
    max_size=120,
)


def split_or_none(ratings, config):
    try:
        return make_split(ratings, config)
    except SplitError:
        return None


@given(rows, configs)
@settings(deadline=None, max_examples=300)
def test_parts_are_disjoint_and_cover_every_row(values, config):
    split = split_or_none(table(*zip(*values, strict=True)), config)
    if split is not None:
        parts = [split.train, split.validation, split.test]
        assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(values)))
        assert all((np.diff(part) > 0).all() and part.dtype == np.int64 for part in parts)
        assert len(split.train)
        assert len(split.test)


@given(rows, st.one_of(st.builds(UserTemporalSplit), st.builds(LeaveLastSplit, k=st.integers(1, 3))))
@settings(deadline=None, max_examples=200)
def test_no_user_is_judged_on_what_came_before_their_training(values, config):
    ratings = table(*zip(*values, strict=True))
    split = split_or_none(ratings, config)
    if split is not None:
        for user in range(ratings.n_users):
            moments = [
                [(ratings.timestamps[row], row) for row in part if ratings.users[row] == user]
                for part in (split.train, split.validation, split.test)
            ]
            in_order = [moment for part in moments for moment in sorted(part)]
            assert in_order == sorted(in_order)
            assert moments[0], "every user keeps a rating to train on"


@given(rows, configs, st.data())
@settings(deadline=None, max_examples=200)
def test_what_is_held_out_cannot_be_read_from_training(values, config, data):
    ratings = table(*zip(*values, strict=True))
    split = split_or_none(ratings, config)
    if split is None:
        return
    other = ratings.ratings.copy()
    held_out = np.concatenate([split.validation, split.test])
    other[held_out] = data.draw(st.lists(st.integers(1, 5), min_size=len(held_out), max_size=len(held_out)))
    changed = make_split(replace(ratings, ratings=other), config)
    assert changed.hash == split.hash
    assert changed.part("train").content_hash == split.part("train").content_hash
    assert not np.isin(split.test, split.train).any()
    assert len(split.part("train")) == len(split.train)


@given(rows, configs)
@settings(deadline=None, max_examples=50)
def test_the_same_seed_gives_the_same_split(values, config):
    ratings = table(*zip(*values, strict=True))
    first, second = split_or_none(ratings, config), split_or_none(ratings, config)
    assert (first is None) == (second is None)
    assert first is None or first.hash == second.hash
