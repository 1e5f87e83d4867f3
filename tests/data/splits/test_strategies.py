"""Split protocols: the right rows, in the order of time, and GroupLens' official splits exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.splits.conftest import label, rows, split_or_none, table

from movielens_recsys.data.config import (
    GlobalTemporalSplit,
    KFoldSplit,
    LeaveLastSplit,
    OfficialSplit,
    RandomSplit,
    UserTemporalSplit,
)
from movielens_recsys.data.splits.split import make_split
from movielens_recsys.errors import SplitError
from movielens_recsys.seeds import frozen_permutation


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
def test_ten_folds_are_slices_of_the_permutation(ml_100k):
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


def test_leave_last_takes_each_users_last_and_leaves_short_histories():
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


def test_global_temporal_split_cuts_all_users_at_one_time(arithmetic):
    split = make_split(arithmetic, GlobalTemporalSplit())
    assert (len(split.validation), len(split.test)) == (300, 300)
    times = arithmetic.timestamps
    assert times[split.train].max() <= times[split.validation].min()
    assert times[split.validation].max() <= times[split.test].min()


@pytest.mark.parametrize("config", [UserTemporalSplit(), LeaveLastSplit(), GlobalTemporalSplit()], ids=label)
@pytest.mark.parametrize("times", [None, [0] * 5], ids=["no times", "all times equal"])
def test_order_in_time_needs_times(config, times):
    ratings = table([1, 1, 1, 2, 2], [1, 2, 3, 1, 2], [1, 2, 3, 4, 5], times)
    with pytest.raises(SplitError, match="have no times"):
        make_split(ratings, config)


@given(rows, st.one_of(st.builds(UserTemporalSplit), st.builds(LeaveLastSplit, k=st.integers(1, 3))))
@settings(deadline=None, max_examples=200)
def test_no_user_is_evaluated_on_ratings_before_the_training_ones(values, config):
    ratings = table(*zip(*values, strict=True))
    split = split_or_none(ratings, config)
    if split is not None:
        for user in range(ratings.n_users):
            timed_rows = [
                [(ratings.timestamps[row], row) for row in part if ratings.users[row] == user]
                for part in (split.train, split.validation, split.test)
            ]
            in_order = [timed_row for part in timed_rows for timed_row in sorted(part)]
            assert in_order == sorted(in_order)
            assert timed_rows[0], "every user keeps a rating to train on"
