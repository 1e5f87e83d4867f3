"""Ranking metrics: precision, recall, NDCG, MAP, MRR, hit rate, coverage, novelty and popularity bias at k.

Every function takes a batch of users and returns one value per user, shape (n_users,), except `coverage`.
``hits`` marks the ranks 1 to k that hold a relevant item, shape (n_users, k); a ranking of fewer than k
candidates is padded with non-hits. Users without relevant items give NaN: they are excluded from means
and counted in the report.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from movielens_recsys.arrays import F64
from movielens_recsys.evaluation.aggregates import divide

NO_ITEM = -1
"""Pads a ranking that has fewer than k candidates."""


def precision(hits: ArrayLike, n_relevant: ArrayLike) -> F64:
    """Return hits among the first k, divided by k (also where a user has fewer than k candidates).

    >>> precision([[True, False, True, False]], [3])
    array([0.5])
    """
    found = np.asarray(hits, dtype=bool)
    return _nan_without_relevant(found.mean(axis=1), n_relevant)


def recall(hits: ArrayLike, n_relevant: ArrayLike) -> F64:
    """Return hits among the first k, divided by all relevant items.

    >>> recall([[True, False, True, False]], [8])
    array([0.25])
    """
    found = np.asarray(hits, dtype=bool).sum(axis=1).astype(np.float64)
    return divide(found, np.asarray(n_relevant, dtype=np.float64))


def ndcg(hits: ArrayLike, n_relevant: ArrayLike) -> F64:
    """Return DCG@k / ideal DCG@k with binary gains and log2 discount (Järvelin and Kekäläinen 2002).

    DCG@k = sum over hits of 1 / log2(rank + 1). The ideal ranking is cut at k as well: it holds
    min(k, n_relevant) hits, so a ranking of k hits scores 1 even if more are relevant. Some papers do
    not cut it, which gives up to half the value under the same name.

    First and third of four are hits, two relevant: (1 + 1/2) / (1 + 1/log2(3)) = 0.9197.

    >>> ndcg([[True, False, True, False]], [2]).round(4)
    array([0.9197])
    """
    found = np.asarray(hits, dtype=bool)
    k = found.shape[1]
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discount)])
    return divide(found @ discount, ideal[np.minimum(np.asarray(n_relevant, dtype=np.int64), k)])


def average_precision(hits: ArrayLike, n_relevant: ArrayLike) -> F64:
    """Return the sum over hits of precision at their rank, divided by min(k, n_relevant).

    The divisor makes 1 reachable for users with more than k relevant items; trec_eval and ranx divide
    by n_relevant instead. Its mean over users is MAP@k.

    First and third of four are hits, two relevant: (1/1 + 2/3) / 2 = 0.8333.

    >>> average_precision([[True, False, True, False]], [2]).round(4)
    array([0.8333])
    """
    found = np.asarray(hits, dtype=bool)
    k = found.shape[1]
    at_rank = np.cumsum(found, axis=1) / np.arange(1, k + 1)
    reachable = np.minimum(np.asarray(n_relevant, dtype=np.float64), k)
    return divide((at_rank * found).sum(axis=1), reachable)


def reciprocal_rank(hits: ArrayLike, n_relevant: ArrayLike) -> F64:
    """Return 1 / rank of the first hit, 0 if none is among the first k. Its mean over users is MRR@k.

    >>> reciprocal_rank([[False, False, True, True]], [2]).round(4)
    array([0.3333])
    """
    found = np.asarray(hits, dtype=bool)
    first = found.argmax(axis=1) + 1
    return _nan_without_relevant(np.where(found.any(axis=1), 1 / first, 0.0), n_relevant)


def hit_rate(hits: ArrayLike, n_relevant: ArrayLike) -> F64:
    """Return 1 for users with at least one hit, else 0.

    >>> hit_rate([[False, True], [False, False]], [1, 1])
    array([1., 0.])
    """
    return _nan_without_relevant(np.asarray(hits, dtype=bool).any(axis=1).astype(np.float64), n_relevant)


def coverage(items: ArrayLike, n_items: int) -> float:
    """Return the share of the catalogue that at least one user is shown (Ge et al. 2010).

    ``items`` has shape (n_users, k), padded with `NO_ITEM`.

    >>> coverage([[0, 1], [1, -1]], 4)
    0.5
    """
    shown = np.asarray(items)
    return len(np.unique(shown[shown != NO_ITEM])) / n_items


def novelty(items: ArrayLike, counts: ArrayLike, n_users: int) -> F64:
    """Return the mean over a ranking of -log2(counts[item] / n_users), in bits (Zhou et al. 2010).

    ``counts`` are training ratings per item and ``n_users`` is the number of users with training
    ratings: an item that half of them rated carries 1 bit. An unrated item counts as rated once.

    >>> novelty([[0, 1]], [4, 1], 8)
    array([2.])
    """
    rated = np.maximum(np.asarray(counts, dtype=np.float64), 1)
    return _mean_over_ranking(np.asarray(items), -np.log2(rated / max(n_users, 1)))


def popularity_bias(items: ArrayLike, counts: ArrayLike) -> F64:
    """Return the mean training count over a ranking, divided by the mean count over the catalogue.

    The numerator is the average recommendation popularity of Yin et al. 2012; 1 means that its
    items are as popular on average as items drawn at random from the catalogue.

    >>> popularity_bias([[0, 1]], [6, 2, 0, 0])
    array([2.])
    """
    rated = np.asarray(counts, dtype=np.float64)
    mean = rated.mean()
    return _mean_over_ranking(np.asarray(items), rated / mean if mean > 0 else rated)


def _nan_without_relevant(values: ArrayLike, n_relevant: ArrayLike) -> F64:
    return np.where(np.asarray(n_relevant) > 0, values, np.nan)


def _mean_over_ranking(items: NDArray[np.integer], value_of_item: F64) -> F64:
    shown = items != NO_ITEM
    return divide((value_of_item[items] * shown).sum(axis=1), shown.sum(axis=1).astype(np.float64))
