"""Helpers of the splits' tests: tables, and configurations of every protocol."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import strategies as st

from movielens_recsys.data.config import (
    GlobalTemporalSplit,
    KFoldSplit,
    LeaveLastSplit,
    RandomSplit,
    UserTemporalSplit,
)
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.data.splits.split import make_split, split_name
from movielens_recsys.errors import SplitError


def table(users, items, ratings, times):
    user_ids, user_index = np.unique(np.asarray(users, dtype=np.int64), return_inverse=True)
    item_ids, item_index = np.unique(np.asarray(items, dtype=np.int64), return_inverse=True)
    return Ratings(
        name="table",
        users=user_index.astype(np.int32),
        items=item_index.astype(np.int32),
        ratings=np.asarray(ratings, dtype=np.float32),
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


def label(value):
    return None if isinstance(value, str) else split_name(value)


configs = st.one_of(
    st.builds(RandomSplit, validation=st.floats(0, 0.45), test=st.floats(0.01, 0.5), seed=st.integers(0, 9)),
    st.builds(KFoldSplit, folds=st.just(5), fold=st.integers(0, 4), validation=st.floats(0, 0.9)),
    st.builds(UserTemporalSplit, validation=st.floats(0, 0.45), test=st.floats(0.01, 0.5)),
    st.builds(LeaveLastSplit, k=st.integers(1, 3)),
    st.builds(GlobalTemporalSplit, validation=st.floats(0, 0.45), test=st.floats(0.01, 0.5)),
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
