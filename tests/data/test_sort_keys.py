"""Sort keys order as the pairs that they stand for, at any distance of the values."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movielens_recsys.data.sort_keys import dense_codes, duplicate_keys, pack_pairs

values = st.one_of(st.integers(-5, 5), st.integers(-(2**62), 2**62))


@given(st.lists(st.tuples(values, values), min_size=1, max_size=30))
def test_keys_sort_as_their_pairs(pairs):
    major, minor = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    keys = pack_pairs(major, minor).tolist()
    for key, pair in zip(keys, pairs, strict=True):
        assert [key < other for other in keys] == [pair < other for other in pairs]


@pytest.mark.parametrize("ids", [[7, -1, 7, 2], ["b", "", "b", "é"]])
def test_codes_are_equal_where_ids_are(ids):
    codes = dense_codes(pl.Series(ids)).tolist()
    assert [[one == other for other in codes] for one in codes] == [[a == b for b in ids] for a in ids]


def test_repeated_keys_come_with_their_counts():
    repeated, counts = duplicate_keys(np.array([1, 2, 2, 5, 5, 5, 9]))
    assert (repeated.tolist(), counts.tolist()) == ([2, 5], [2, 3])
