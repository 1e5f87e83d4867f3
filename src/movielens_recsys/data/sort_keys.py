"""Integer sort keys for pairs of columns: for duplicates, bursts and the order within each user."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from movielens_recsys.arrays import IntArray


def dense_codes(ids: pl.Series) -> IntArray:
    """Return integers, shape (n,), that are equal exactly where the ids (Int64 or String) are equal."""
    if ids.dtype.is_integer():
        return ids.to_numpy()
    return ids.cast(pl.Categorical).to_physical().to_numpy()


def pack_pairs(major: IntArray, minor: IntArray) -> NDArray[np.int64]:
    """Return int64 keys, shape (n,), that sort as the pairs (``major``, ``minor``) sort.

    Both columns hold at least one value. Values too far apart for 63 bits are ranked first.
    """
    if _span(major) * _span(minor) >= 2**63:
        major, minor = (np.unique(column, return_inverse=True)[1] for column in (major, minor))
    keys = major.astype(np.int64)
    keys -= keys.min()
    keys *= _span(minor)
    keys += minor
    keys -= int(minor.min())
    return keys


def duplicate_keys(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the values that ascending ``keys`` hold more than once, and how often each."""
    repeats = keys[1:][keys[1:] == keys[:-1]]
    values, counts = np.unique(repeats, return_counts=True)
    return values, counts + 1


def _span(column: IntArray) -> int:
    return int(column.max()) - int(column.min()) + 1
