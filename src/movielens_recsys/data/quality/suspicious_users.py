"""Rating profiles worth a look: constant, hasty, or as if drawn at random; and ratings sent in bursts.

A profile that is met here need not be false: each check says how many honest users it meets too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.sort_keys import duplicate_keys
from movielens_recsys.schema import Finding, Severity

CONSTANT_MIN_RATINGS = 20
HASTY_PER_MINUTE = 60
RANDOM_MIN_RATINGS = 100
RANDOM_MIN_ITEM_RATINGS = 5
RANDOM_Z = 1.645


def suspicious_timing(ratings: Ratings) -> list[Finding]:
    """Count ratings that share their second, and users who gave more than 60 ratings in a minute.

    Several ratings of one user in one second are usual where a page sends many at once: 76 % of
    ML-100K, 30 % of ML-1M, 23 % of ml-latest-small (measured). More than 60 within some 60 seconds are
    rare: 2 of 610 users of ml-latest-small, none of ML-100K or ML-1M (measured); an import from
    elsewhere, or a script. Unset times, zero or negative, are left out.
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
    return [*_same_second(counts), *_hasty(hasty, ratings.n_users)]


def constant_raters(ratings: Ratings) -> Finding | None:
    """Count users with 20 ratings or more that are all equal.

    They tell nothing about taste. In ml-latest-small 1 of 610 users is one, in ML-100K and ML-1M none.
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
    """Count users with 100 ratings or more that do not rise with what everyone else thinks of the items.

    A user's ratings are correlated with the items' means over all *other* users, on items with at least
    5 ratings; the profile is met where the correlation r of n ratings is not above zero at the 5 %
    level: ``r sqrt(n - 2) / sqrt(1 - r^2) < 1.645``. That meets about 95 % of users who rate at random, and
    also 2 % (ML-100K, ML-1M) to 8 % (ml-latest-small) of the real ones, whose taste is their own
    (measured). Deviation from the items' means as a mark of random attack profiles goes back to
    Chirita, Nejdl and Zamfir, "Preventing shilling attacks in online recommender systems", 2005.
    """
    item_counts = np.bincount(ratings.items, minlength=ratings.n_items)
    item_sums = np.bincount(ratings.items, ratings.ratings, minlength=ratings.n_items)
    rows = np.flatnonzero(item_counts[ratings.items] >= RANDOM_MIN_ITEM_RATINGS)
    users, items, own = ratings.users[rows], ratings.items[rows], ratings.ratings[rows]
    others = (item_sums[items] - own) / (item_counts[items] - 1)
    counts = np.bincount(users, minlength=ratings.n_users)
    r = _correlations(users, own.astype(np.float64), others, counts)
    z = r * np.sqrt(np.maximum(counts - 2, 0)) / np.sqrt(np.maximum(1 - r**2, 1e-12))
    enough = counts >= RANDOM_MIN_RATINGS
    at_random = int((enough & (z < RANDOM_Z)).sum())
    if not at_random:
        return None
    advice = (
        f"{at_random} of {int(enough.sum())} users with {RANDOM_MIN_RATINGS} ratings or more agree with "
        "others no better than chance: a taste of their own, or ratings at random; look before removing any"
    )
    return Finding("random_profiles", float(at_random), None, Severity.INFO, advice)


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
    spread = np.sqrt(np.bincount(users, x * x, minlength=n) * np.bincount(users, y * y, minlength=n))
    covariance = np.bincount(users, x * y, minlength=n)
    r: NDArray[np.float64] = np.divide(covariance, spread, out=np.zeros(n), where=spread > 1e-9)
    return r


def _same_second(counts: NDArray[np.int64]) -> list[Finding]:
    if not len(counts):
        return []
    advice = (
        f"up to {counts.max()} ratings of one user share a second, as where a page sends several at once; "
        "their order is unknown and stays as in the file"
    )
    return [Finding("ratings_in_same_second", float(counts.sum()), None, Severity.INFO, advice)]


def _hasty(users: int, n_users: int) -> list[Finding]:
    if not users:
        return []
    advice = (
        f"{users} of {n_users} users gave over {HASTY_PER_MINUTE} ratings in a minute: an import, or a script"
    )
    return [Finding("hasty_profiles", float(users), 0.0, Severity.WARNING, advice)]
