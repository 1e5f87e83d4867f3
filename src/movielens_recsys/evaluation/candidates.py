"""The two ranking protocols: candidate items, relevant items, and the top k of each user."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from movielens_recsys.arrays import FloatArray, IntArray
from movielens_recsys.data.splits.split import HeldOutPart, Split
from movielens_recsys.errors import EvaluationError
from movielens_recsys.evaluation.config import RankingProtocol
from movielens_recsys.evaluation.ranking_metrics import NO_ITEM
from movielens_recsys.seeds import generator

BLOCK_SCORES = 2_000_000
"""Scores in memory at a time; users are batched so that memory does not grow with their number."""


class Scorer(Protocol):
    """The part of a `Recommender` that orders items."""

    def score(self, users: IntArray) -> FloatArray:
        """Return scores, shape (len(users), n_items)."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The ratings of one held-out part by user, with each user's training items.

    Attributes
    ----------
    users
        Indices of the users with held-out ratings, ascending, shape (n_users,).
    user_position, items, ratings
        One entry per held-out rating, ordered by user: position in ``users``, item, rating.
    timestamps
        Seconds since 1970, in the same order; None where the ratings have no timestamps.
    relevance_threshold, relevant
        The rating from which an item is relevant, and whether each reaches it.
    train
        Training ratings as a sparse pattern, shape (all users, items).
    implicit
        Whether the rows are interactions without ratings.
    """

    part: HeldOutPart
    users: NDArray[np.int64]
    user_position: NDArray[np.int64]
    items: NDArray[np.int64]
    ratings: NDArray[np.float32]
    timestamps: NDArray[np.int64] | None
    relevance_threshold: float
    relevant: NDArray[np.bool_]
    train: csr_matrix
    implicit: bool

    @classmethod
    def of(
        cls, split: Split, part: HeldOutPart, relevance_threshold: float, *, ranked: bool = True
    ) -> HeldOut:
        """Take ``part`` out of a split; if nothing is ``ranked``, nothing in it needs to be relevant.

        Raises
        ------
        EvaluationError
            If the part has no rows, or rankings are to be measured and no held-out rating reaches
            ``relevance_threshold``.
        """
        rows, train = split.part(part), split.part("train")
        if len(rows) == 0:
            raise EvaluationError(
                f"the split has no {part} rows",
                expected="at least one held-out rating",
                next_step=f"give the split a larger {part} share",
            )
        order = np.argsort(rows.users, kind="stable")
        users, user_position = np.unique(rows.users[order], return_inverse=True)
        relevant = rows.ratings[order] >= relevance_threshold
        if ranked and not relevant.any():
            raise EvaluationError(
                f"no held-out rating reaches relevance_threshold = {relevance_threshold:g}",
                expected=f"a threshold within the scale {rows.scale.minimum:g} to {rows.scale.maximum:g}",
                next_step="set evaluation.relevance_threshold",
            )
        ones = np.ones(len(train), dtype=np.int8)
        return cls(
            part=part,
            users=users.astype(np.int64),
            user_position=user_position,
            items=rows.items[order].astype(np.int64),
            ratings=rows.ratings[order],
            timestamps=None if rows.timestamps is None else rows.timestamps[order],
            relevance_threshold=relevance_threshold,
            relevant=relevant,
            train=csr_matrix((ones, (train.users, train.items)), shape=(rows.n_users, rows.n_items)),
            implicit=rows.implicit,
        )

    @property
    def relevant_share(self) -> float:
        """The share of the held-out ratings that reach the relevance threshold."""
        return float(self.relevant.mean())

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return int(self.train.shape[1])

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Offset of each user's first rating, and the end of the last, shape (n_users + 1,)."""
        return np.searchsorted(self.user_position, np.arange(len(self.users) + 1)).astype(np.int64)

    @cached_property
    def n_relevant(self) -> NDArray[np.int64]:
        """Relevant held-out items per user, shape (n_users,)."""
        return np.bincount(self.user_position[self.relevant], minlength=len(self.users))

    @cached_property
    def train_counts(self) -> NDArray[np.int64]:
        """Training ratings per item, shape (n_items,)."""
        return np.bincount(self.train.indices, minlength=self.n_items)

    @cached_property
    def train_users(self) -> NDArray[np.int64]:
        """Training ratings per user, shape (all users,)."""
        counts: NDArray[np.int64] = np.diff(self.train.indptr).astype(np.int64)
        return counts


@dataclass(frozen=True, eq=False)
class TopK:
    """The first k items of each user's ranking (`NO_ITEM` past its end) and the hits, shape (n_users, k)."""

    items: NDArray[np.int64]
    hits: NDArray[np.bool_]

    @classmethod
    def of(cls, items: NDArray[np.int64], held_out: HeldOut) -> TopK:
        """Mark the hits in rankings of ``held_out.users``, one row each in their order."""
        # (user, item) pairs as single integers, so that one isin finds all hits.
        first_pair = np.arange(len(items))[:, None] * held_out.n_items
        of_relevant = held_out.user_position[held_out.relevant] * held_out.n_items
        relevant = of_relevant + held_out.items[held_out.relevant]
        return cls(items, np.isin(first_pair + items, relevant) & (items != NO_ITEM))


@dataclass(frozen=True, eq=False)
class TieBreaker:
    """The order of items with equal scores: random, seeded, and different for each user.

    Breaking ties by index would reward a constant scorer wherever low indices are popular items. Each
    user's order is one random permutation read from a random offset, so it depends on the seed and
    the user only, not on batches or on the other scores.
    """

    permutation: NDArray[np.int64]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, seed: int, n_users: int, n_items: int) -> TieBreaker:
        """Draw an order of ``n_items`` for each of ``n_users`` users."""
        rng = generator(seed, "order of tied items")
        return cls(rng.permutation(n_items), rng.integers(n_items, size=n_users))

    def of_users(self, users: IntArray) -> TieBreaker:
        """Return the orders of ``users``, to be indexed by position in ``users``."""
        return TieBreaker(self.permutation, self.offsets[users])

    def rank(self, users: IntArray, items: IntArray) -> NDArray[np.int64]:
        """Return sort keys of ``items`` with equal scores, lower first; the arguments broadcast."""
        keys: NDArray[np.int64] = self.permutation[(items + self.offsets[users]) % len(self.permutation)]
        return keys


def rank_top_k(
    scorer: Scorer, held_out: HeldOut, k: int, protocols: Sequence[RankingProtocol], seed: int
) -> dict[RankingProtocol, TopK]:
    """Rank the top k for every held-out user under each protocol, in one pass over the scores.

    `full`: every item the user has not rated in training is a candidate. `rated`: only the user's
    held-out items are. Ties are broken by `TieBreaker`. Without a protocol nothing is scored.

    Raises
    ------
    EvaluationError
        If scores have the wrong shape or are not finite.
    """
    if not protocols:
        return {}
    ties = TieBreaker.of(seed, int(held_out.train.shape[0]), held_out.n_items)
    held_out_scores: list[FloatArray] = []
    full = np.full((len(held_out.users), k), NO_ITEM, dtype=np.int64)
    for block in _blocks(held_out):
        users = held_out.users[block]
        scores = _scores(scorer, users, held_out.n_items)
        # `rated` reads its scores before `full` overwrites those of training items.
        if "rated" in protocols:
            rows = slice(held_out.starts[block.start], held_out.starts[block.stop])
            position = held_out.user_position[rows] - block.start
            held_out_scores.append(scores[position, held_out.items[rows]])
        if "full" in protocols:
            seen = held_out.train[users].tocoo()
            scores[seen.row, seen.col] = -np.inf
            found = top_k(scores, k, ties.of_users(users))
            full[block, : found.shape[1]] = found
    rankings: dict[RankingProtocol, TopK] = {}
    for protocol in protocols:
        rankings[protocol] = (
            TopK.of(full, held_out)
            if protocol == "full"
            else _rank_rated(np.concatenate(held_out_scores), held_out, k, ties)
        )
    return rankings


def top_k(scores: FloatArray, k: int, ties: TieBreaker) -> NDArray[np.int64]:
    """Return each row's k columns with the highest scores, best first, shape (n, min(k, n_items)).

    ``ties``, whose users are the rows, orders equal scores, also at the cut. Columns with a score of -inf are
    no candidates and leave `NO_ITEM` at the end.
    """
    n, n_items = scores.shape
    k = min(k, n_items)
    threshold = np.partition(scores, n_items - k, axis=1)[:, n_items - k, None]
    candidates = scores >= threshold
    # Rows with ties across the cut have more than k candidates: those above the threshold stay, and the tie
    # order chooses among the equal ones. All other rows skip this, which keeps the common case one partition.
    crowded = np.flatnonzero(np.count_nonzero(candidates, axis=1) > k)
    if len(crowded):
        tied = scores[crowded] == threshold[crowded]
        keys = np.where(tied, ties.rank(crowded[:, None], np.arange(n_items)), n_items)
        keys[candidates[crowded] & ~tied] = -1
        chosen = np.argpartition(keys, k - 1, axis=1)[:, :k]
        candidates[crowded] = False
        candidates[crowded[:, None], chosen] = True
    columns = np.nonzero(candidates)[1].reshape(n, k)
    rows = np.arange(n)[:, None]
    values = scores[rows, columns]
    columns = columns[rows, np.lexsort((ties.rank(rows, columns), -values), axis=1)]
    columns[scores[rows, columns] == -np.inf] = NO_ITEM
    return columns


def _rank_rated(scores: FloatArray, held_out: HeldOut, k: int, ties: TieBreaker) -> TopK:
    tie_keys = ties.rank(held_out.users[held_out.user_position], held_out.items)
    order = np.lexsort((tie_keys, -scores, held_out.user_position))
    user_position = held_out.user_position[order]
    rank = np.arange(len(user_position)) - held_out.starts[user_position]
    top = rank < k
    items = np.full((len(held_out.users), k), NO_ITEM, dtype=np.int64)
    hits = np.zeros(items.shape, dtype=bool)
    items[user_position[top], rank[top]] = held_out.items[order][top]
    hits[user_position[top], rank[top]] = held_out.relevant[order][top]
    return TopK(items, hits)


def _blocks(held_out: HeldOut) -> Iterator[slice]:
    size = max(1, BLOCK_SCORES // held_out.n_items)
    for start in range(0, len(held_out.users), size):
        yield slice(start, min(start + size, len(held_out.users)))


def _scores(scorer: Scorer, users: NDArray[np.int64], n_items: int) -> FloatArray:
    """Return the users' scores as a floating-point copy that the caller may overwrite."""
    scores = np.asarray(scorer.score(users))
    if scores.shape != (len(users), n_items):
        raise EvaluationError(
            f"scores of shape {scores.shape} for {len(users)} users",
            expected=f"shape {(len(users), n_items)}: one score per item of the catalogue",
            next_step="correct the recommender's score method",
        )
    scores = np.array(scores, dtype=scores.dtype if scores.dtype.kind == "f" else np.float64)
    if not np.isfinite(scores).all():
        row, item = np.argwhere(~np.isfinite(scores))[0]
        raise EvaluationError(
            f"the score of item {item} for user {users[row]} is {scores[row, item]}",
            expected="finite scores",
            next_step="look for a diverged training or a division by zero in the recommender",
        )
    return scores
