"""Users whose ratings are constant, too fast or as if at random, and ratings that come in bursts.

A match is no proof: each check states its share of false positives among real users.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.sort_keys import duplicate_keys
from movielens_recsys.schema import Finding, Severity

CONSTANT_MIN_RATINGS = 20
_DAY_S = 86_400
HASTY_PER_MINUTE = 60
RANDOM_MIN_RATINGS = 100
RANDOM_MIN_ITEM_RATINGS = 5
RANDOM_Z = 1.645


def suspicious_timing(ratings: Ratings) -> list[Finding]:
    """Count ratings that share their second, and users who gave more than 60 ratings in a minute.

    Several ratings of one user in one second are usual where a page sends many at once: 76 % of
    ML-100K, 30 % of ML-1M, 23 % of ml-latest-small (measured). More than 60 within some 60 seconds are
    rare: 2 of 610 users of ml-latest-small, none of ML-100K or ML-1M (measured); the marks of an import
    from elsewhere, or a script. Unset times, zero or negative, are left out.
    Where all times are midnights, the file gives days, which tell neither.
    """
    if ratings.timestamps is None or ratings.timestamps.max() <= 0:
        return []
    known = ratings.timestamps > 0
    stride = int(ratings.timestamps.max()) + 60
    keys = ratings.users[known] * np.int64(stride) + ratings.timestamps[known]
    keys.sort()
    _, counts = duplicate_keys(keys)
    in_a_minute = keys[HASTY_PER_MINUTE:] - keys[:-HASTY_PER_MINUTE] < 60
    hasty = len(np.unique(keys[HASTY_PER_MINUTE:][in_a_minute] // stride))
    whole_days = not (ratings.timestamps[known] % _DAY_S).any()
    return [
        *_same_second(counts, whole_days=whole_days),
        *_hasty(0 if whole_days else hasty, ratings.n_users),
    ]


def constant_raters(ratings: Ratings) -> Finding | None:
    """Count users with 20 ratings or more that are all equal.

    They carry no information on preferences. ml-latest-small has 1 among 610 users, ML-100K and ML-1M none.
    """
    counts = np.bincount(ratings.users, minlength=ratings.n_users)
    first = np.zeros(ratings.n_users, dtype=np.float32)
    first[ratings.users] = ratings.ratings
    differs = np.bincount(ratings.users[ratings.ratings != first[ratings.users]], minlength=ratings.n_users)
    constant = int(((counts >= CONSTANT_MIN_RATINGS) & (differs == 0)).sum())
    if not constant:
        return None
    advice = (
        f"{constant} of {ratings.n_users} users gave {CONSTANT_MIN_RATINGS} ratings or more, all the same"
    )
    return Finding("constant_profiles", float(constant), 0.0, Severity.WARNING, advice)


def random_raters(ratings: Ratings) -> Finding | None:
    """Count users with 100 ratings or more that are uncorrelated with those of other users.

    A user's ratings are correlated with the items' means over all *other* users, on items with at least
    5 ratings; a user counts where the correlation r of n ratings is not above zero at the 5 %
    level: ``r sqrt(n - 2) / sqrt(1 - r^2) < 1.645``. This finds about 95 % of users who rate at random, and
    also 2 % (ML-100K, ML-1M) to 8 % (ml-latest-small) of the real ones, whose preferences are unusual
    (measured). Deviation from the items' means as a mark of random attack profiles goes back to
    Chirita, Nejdl and Zamfir, "Preventing shilling attacks in online recommender systems", 2005.
    """
    item_counts = np.bincount(ratings.items, minlength=ratings.n_items)
    item_sums = np.bincount(ratings.items, ratings.ratings, minlength=ratings.n_items)
    rows = np.flatnonzero(item_counts[ratings.items] >= RANDOM_MIN_ITEM_RATINGS)
    users, items, values = ratings.users[rows], ratings.items[rows], ratings.ratings[rows]
    other_means = (item_sums[items] - values) / (item_counts[items] - 1)
    counts = np.bincount(users, minlength=ratings.n_users)
    r = _correlations(users, values.astype(np.float64), other_means, counts)
    z = r * np.sqrt(np.maximum(counts - 2, 0)) / np.sqrt(np.maximum(1 - r**2, 1e-12))
    enough = counts >= RANDOM_MIN_RATINGS
    uncorrelated = int((enough & (z < RANDOM_Z)).sum())
    if not uncorrelated:
        return None
    advice = (
        f"{uncorrelated} of {int(enough.sum())} users with {RANDOM_MIN_RATINGS} ratings or more agree with "
        "others no better than chance: a taste of their own, or ratings at random; look before removing any"
    )
    return Finding("random_profiles", float(uncorrelated), None, Severity.INFO, advice)


def _correlations(
    users: NDArray[np.int32],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Pearson correlation of ``x`` and ``y`` within each user, 0 where either does not vary."""
    n = len(counts)
    at_least_one = np.maximum(counts, 1)
    x = x - (np.bincount(users, x, minlength=n) / at_least_one)[users]
    y = y - (np.bincount(users, y, minlength=n) / at_least_one)[users]
    norm = np.sqrt(np.bincount(users, x * x, minlength=n) * np.bincount(users, y * y, minlength=n))
    covariance = np.bincount(users, x * y, minlength=n)
    r: NDArray[np.float64] = np.divide(covariance, norm, out=np.zeros(n), where=norm > 1e-9)
    return r


def _same_second(counts: NDArray[np.int64], *, whole_days: bool) -> list[Finding]:
    if not len(counts):
        return []
    if whole_days:
        advice = (
            f"the times are days, and up to {counts.max()} ratings of one user share one; the order within a "
            "day is unknown and stays as in the file"
        )
    else:
        advice = (
            f"up to {counts.max()} ratings of one user share a second, as where a page sends several at "
            "once; their order is unknown and stays as in the file"
        )
    return [Finding("ratings_in_same_second", float(counts.sum()), None, Severity.INFO, advice)]


def _hasty(users: int, n_users: int) -> list[Finding]:
    if not users:
        return []
    advice = (
        f"{users} of {n_users} users gave over {HASTY_PER_MINUTE} ratings in a minute: an import, or a script"
    )
    return [Finding("hasty_profiles", float(users), 0.0, Severity.WARNING, advice)]
