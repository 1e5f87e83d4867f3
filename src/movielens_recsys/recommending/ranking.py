"""The best items of users, or for a history: in the order of scores, without what was rated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from movielens_recsys.arrays import F32, I64, FloatArray, IntArray
from movielens_recsys.recommender import UNKNOWN, HistoryRanker, Recommender
from movielens_recsys.recommending.rated_items import RatedItems

BLOCK_SCORES = 4_000_000
"""Scores in memory at once."""


@dataclass(frozen=True, eq=False)
class RankedItems:
    """Recommended items, one in each row: user after user, each user's best item first.

    Attributes
    ----------
    positions
        The position of the user among those asked for, int64, shape (n,).
    ranks
        From 1, int64, shape (n,).
    items
        Item indices, int64, shape (n,).
    scores
        What the items are ordered by, float32, shape (n,).
    predicted
        Predicted ratings, float32, shape (n,), at an unknown time.
    """

    positions: I64
    ranks: I64
    items: I64
    scores: F32
    predicted: F32


def rank_in_blocks(
    recommender: Recommender, users: IntArray, rated: RatedItems, k: int
) -> Iterator[RankedItems]:
    """Yield the ``k`` best items of each user, for blocks of users that bound the memory of scores."""
    size = max(1, BLOCK_SCORES // max(1, recommender.n_items))
    for start in range(0, len(users), size):
        ranked = rank_for_users(recommender, users[start : start + size], rated, k)
        yield replace(ranked, positions=ranked.positions + start)


def rank_for_users(
    recommender: Recommender, users: IntArray, rated: RatedItems | Mapping[int, IntArray], k: int
) -> RankedItems:
    """Return the ``k`` items with the highest scores of each user that the user has not rated.

    `UNKNOWN` stands for a user outside the id maps, whom the recommender answers by its fallback.
    """
    scores = recommender.score(users)
    best = [top_unrated(row, rated[int(user)], k) for user, row in zip(users.tolist(), scores, strict=True)]
    lengths = [len(items) for items in best]
    positions = np.repeat(np.arange(len(users)), lengths)
    items = np.concatenate([np.empty(0, np.int64), *best])
    return RankedItems(
        positions=positions,
        ranks=np.concatenate([np.empty(0, np.int64), *(np.arange(1, n + 1) for n in lengths)]),
        items=items,
        scores=np.asarray(scores[positions, items], np.float32),
        predicted=np.asarray(recommender.predict(np.asarray(users)[positions], items), np.float32),
    )


def rank_for_history(recommender: Recommender, items: IntArray, ratings: FloatArray, k: int) -> RankedItems:
    """Return the ``k`` best items for a new user who gave ``ratings`` to ``items``, shape (n,) each.

    A `HistoryRanker` orders them by its scores, any other recommender by predicted ratings.
    """
    predicted = recommender.fold_in(items, ratings)
    scores = (
        recommender.score_history(items, ratings) if isinstance(recommender, HistoryRanker) else predicted
    )
    best = top_unrated(scores, items[np.asarray(items) != UNKNOWN], k)
    return RankedItems(
        positions=np.zeros(len(best), np.int64),
        ranks=np.arange(1, len(best) + 1),
        items=best,
        scores=np.asarray(scores[best], np.float32),
        predicted=np.asarray(predicted[best], np.float32),
    )


def uses_history(recommender: Recommender, items: IntArray, ratings: FloatArray) -> bool:
    """Return whether a new user's history matters to the order; else the fallback answers.

    A `HistoryRanker` may use none of the items, such as one that learns from likes where all are disliked.
    """
    if len(items) and isinstance(recommender, HistoryRanker):
        scores = recommender.score_history(items, ratings)
        return not np.array_equal(scores, recommender.score_history(items[:0], ratings[:0]))
    return len(items) > 0


def top_unrated(scores: FloatArray, rated: IntArray, k: int) -> I64:
    """Return the indices of the ``k`` highest of ``scores``, shape (n_items,), best first, without ``rated``.

    Of equal scores the lower index comes first. Fewer are returned if fewer are left.
    """
    unrated = np.array(scores, np.float64)
    unrated[rated] = -np.inf
    k = min(k, len(unrated) - len(np.unique(rated)))
    if k == 0:
        return np.empty(0, np.int64)
    # Sorting all scores would take most of the time: only those that reach the k-th highest are sorted.
    threshold = np.partition(unrated, len(unrated) - k)[len(unrated) - k]
    candidates = np.flatnonzero(unrated >= threshold)
    best: I64 = candidates[np.argsort(-unrated[candidates], kind="stable")][:k]
    return best
