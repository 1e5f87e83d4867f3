"""Test and validation rows of each split protocol; every other row is a training row.

Each function returns the row numbers (test, validation), in any order. Shares round down. Order in
time is by (timestamp, row): ratings of one second keep the order of the file.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import I64
from movielens_recsys.data.config import (
    GlobalTemporalSplit,
    KFoldSplit,
    LeaveLastSplit,
    OfficialSplit,
    RandomSplit,
    UserTemporalSplit,
)
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.sort_keys import pack_pairs
from movielens_recsys.errors import SplitError
from movielens_recsys.seeds import frozen_permutation

ML_100K_HASH = "30a9f3a928ba75bd02bdcebd6826abef83619ce26d7062933cb1eef348656da4"
"""`Ratings.content_hash` of ML-100K's ``u.data``, the one data set that has official splits."""
UA_UB_RATINGS_PER_USER = 10


def random_rows(ratings: Ratings, config: RandomSplit) -> tuple[I64, I64]:
    """Return the first ``test`` share of the seed's permutation, and the next ``validation`` share."""
    order = frozen_permutation(config.seed, len(ratings))
    n_test = _share(len(ratings), config.test)
    return order[:n_test], order[n_test : n_test + _share(len(ratings), config.validation)]


def kfold_rows(ratings: Ratings, config: KFoldSplit) -> tuple[I64, I64]:
    """Return the fold's slice of the seed's permutation, and the first share of the remaining rows."""
    order = frozen_permutation(config.seed, len(ratings))
    start, stop = (fold * len(ratings) // config.folds for fold in (config.fold, config.fold + 1))
    rest = np.concatenate([order[:start], order[stop:]])
    return order[start:stop], rest[: _share(len(rest), config.validation)]


def official_rows(ratings: Ratings, config: OfficialSplit) -> tuple[I64, I64]:
    """Return ML-100K's official test rows, and a share of a permutation of its base rows.

    GroupLens made the files from ``u.data`` in the order of its rows, so they are derived here without
    the files: u1..u5 are consecutive fifths, ua and ub hold each user's first and next ten rows.
    """
    if ratings.content_hash != ML_100K_HASH:
        raise SplitError(
            f"{ratings.name} has no official split {config.name}",
            expected="ml-100k, whole and in the order of u.data",
            next_step="set split.protocol to another, such as random or kfold",
        )
    if config.name in ("ua", "ub"):
        first = UA_UB_RATINGS_PER_USER * (config.name == "ub")
        rank = _row_rank_in_user(ratings.users)
        test = np.flatnonzero((rank >= first) & (rank < first + UA_UB_RATINGS_PER_USER))
    else:
        fifth, fold = len(ratings) // 5, int(config.name[1]) - 1
        test = np.arange(fold * fifth, (fold + 1) * fifth)
    base = np.delete(np.arange(len(ratings)), test)
    order = frozen_permutation(config.seed, len(base))
    return test, base[order[: _share(len(base), config.validation)]]


def user_temporal_rows(ratings: Ratings, config: UserTemporalSplit) -> tuple[I64, I64]:
    """Return each user's last ``test`` share, and the ``validation`` share before it.

    A user whose shares come to less than one rating has only training rows.
    """
    counts = np.bincount(ratings.users, minlength=ratings.n_users)
    return _last_of_each_user(ratings, _shares(counts, config.test), _shares(counts, config.validation))


def leave_last_rows(ratings: Ratings, config: LeaveLastSplit) -> tuple[I64, I64]:
    """Return each user's last ``k`` ratings, and the ``k`` before them.

    A user with ``2 k`` ratings or fewer, for whom no training row would remain, has only training rows.
    """
    counts = np.bincount(ratings.users, minlength=ratings.n_users)
    held_out = np.where(counts > 2 * config.k, config.k, 0)
    return _last_of_each_user(ratings, held_out, held_out)


def global_temporal_rows(ratings: Ratings, config: GlobalTemporalSplit) -> tuple[I64, I64]:
    """Return the last ``test`` share of all ratings, and the ``validation`` share before it."""
    latest_first = np.argsort(_times(ratings), kind="stable")[::-1]
    n_test, n_validation = (_share(len(ratings), ratio) for ratio in (config.test, config.validation))
    return latest_first[:n_test], latest_first[n_test : n_test + n_validation]


def _last_of_each_user(ratings: Ratings, n_test: I64, n_validation: I64) -> tuple[I64, I64]:
    """The last ``n_test`` rows of each user in time and the ``n_validation`` before, given per user."""
    order = np.argsort(pack_pairs(ratings.users, _times(ratings)), kind="stable")
    users = ratings.users[order]
    ends = np.cumsum(np.bincount(users, minlength=ratings.n_users))
    n_later = ends[users] - 1 - np.arange(len(users))
    test = n_later < n_test[users]
    return order[test], order[~test & (n_later < (n_test + n_validation)[users])]


def _row_rank_in_user(users: NDArray[np.int32]) -> I64:
    """How many earlier rows of the table each row's user has, shape (n,)."""
    order = np.argsort(users, kind="stable")
    counts = np.bincount(users)
    ranks = np.empty(len(users), dtype=np.int64)
    ranks[order] = np.arange(len(users)) - np.repeat(np.cumsum(counts) - counts, counts)
    return ranks


def _times(ratings: Ratings) -> I64:
    if ratings.timestamps is None or ratings.timestamps.min() == ratings.timestamps.max():
        raise SplitError(
            f"the ratings of {ratings.name} have no times to order them by",
            expected="a timestamp for each rating",
            next_step="set split.protocol to one without time, such as random or kfold",
        )
    return ratings.timestamps


def _share(n: int, ratio: float) -> int:
    """Floor of ``n * ratio``, forgiving the last bit of a product such as 100 * 0.29."""
    return math.floor(n * ratio + 1e-9)


def _shares(counts: I64, ratio: float) -> I64:
    shares: I64 = np.floor(counts * ratio + 1e-9).astype(np.int64)
    return shares
