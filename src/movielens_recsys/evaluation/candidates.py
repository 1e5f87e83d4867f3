"""The two ranking protocols: what is a candidate, what is relevant, and the lists that result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from movielens_recsys.arrays import FloatArray, IntArray
from movielens_recsys.data.splits.split import HeldOutPart, Split
from movielens_recsys.errors import EvaluationError
from movielens_recsys.evaluation.ranking import NO_ITEM
from movielens_recsys.seeds import generator

RankingProtocol = Literal["full", "rated"]

BLOCK_CELLS = 2_000_000
"""Scores held at a time; users are batched so that memory does not grow with their number."""


class Scorer(Protocol):
    """The part of a `Recommender` that orders items."""

    def score(self, users: IntArray) -> FloatArray:
        """Return scores, shape (len(users), n_items)."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """One part of a split seen from its users: what they rated there, and what they rated in training.

    Attributes
    ----------
    users
        Indices of the users with held-out ratings, ascending, shape (n_users,).
    owner, items, ratings
        One entry per held-out rating, ordered by user: position in ``users``, item, stars.
    timestamps
        When it was given, in seconds since 1970; None where the ratings have no times.
    relevant
        Whether that rating reaches the threshold.
    train
        Training ratings as a (users of the id map x items) sparse pattern.
    """

    part: HeldOutPart
    users: NDArray[np.int64]
    user_position: NDArray[np.int64]
    items: NDArray[np.int64]
    ratings: NDArray[np.float32]
    timestamps: NDArray[np.int64] | None
    relevant: NDArray[np.bool_]
    train: csr_matrix

    @classmethod
    def of(cls, split: Split, part: HeldOutPart, relevance_threshold: float) -> HeldOut:
        """Take ``part`` out of a split.

        Raises
        ------
        EvaluationError
            If the part has no rows or no held-out rating reaches ``relevance_threshold``.
        """
        held, train = split.part(part), split.part("train")
        if len(held) == 0:
            raise EvaluationError(
                f"the split has no {part} rows",
                expected="at least one held-out rating",
                next_step=f"give the split a larger {part} share",
            )
        order = np.argsort(held.users, kind="stable")
        users, owner = np.unique(held.users[order], return_inverse=True)
        relevant = held.ratings[order] >= relevance_threshold
        if not relevant.any():
            raise EvaluationError(
                f"no held-out rating reaches relevance_threshold = {relevance_threshold:g}",
                expected=f"a threshold within the scale {held.scale.minimum:g} to {held.scale.maximum:g}",
                next_step="set evaluation.relevance_threshold",
            )
        ones = np.ones(len(train), dtype=np.int8)
        seen = csr_matrix((ones, (train.users, train.items)), shape=(held.n_users, held.n_items))
        items = held.items[order].astype(np.int64)
        times = None if held.timestamps is None else held.timestamps[order]
        return cls(part, users.astype(np.int64), owner, items, held.ratings[order], times, relevant, seen)

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return int(self.train.shape[1])

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Where each user's ratings start, and the end of the last, shape (n_users + 1,)."""
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
        """Training ratings per user of the id map."""
        counts: NDArray[np.int64] = np.diff(self.train.indptr).astype(np.int64)
        return counts


@dataclass(frozen=True, eq=False)
class TopK:
    """The first k places of each user's list: items (`NO_ITEM` past its end) and hits, shape (n_users, k)."""

    items: NDArray[np.int64]
    hits: NDArray[np.bool_]

    @classmethod
    def of(cls, items: NDArray[np.int64], held: HeldOut) -> TopK:
        """Judge lists of the held-out part's users, in their order, wherever they were made."""
        cell = np.arange(len(items))[:, None] * held.n_items
        relevant = held.user_position[held.relevant] * held.n_items + held.items[held.relevant]
        return cls(items, np.isin(cell + items, relevant) & (items != NO_ITEM))


@dataclass(frozen=True, eq=False)
class TieBreaker:
    """The order in which items of equal score stand: random, seeded, and another one for each user.

    Breaking ties by index would reward a constant scorer wherever low indices are popular items. Each
    user's order is one random permutation read from a random offset, so it depends on the seed and
    the user only, not on batches or on the other scores.
    """

    permutation: NDArray[np.int64]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, seed: int, n_users: int, n_items: int) -> TieBreaker:
        """Draw the order of ``n_items`` for each of ``n_users`` users of the id map."""
        rng = generator(seed, "order of tied items")
        return cls(rng.permutation(n_items), rng.integers(n_items, size=n_users))

    def of_users(self, users: IntArray) -> TieBreaker:
        """Return the orders of ``users`` alone, by their position there."""
        return TieBreaker(self.permutation, self.offsets[users])

    def rank(self, users: IntArray, items: IntArray) -> NDArray[np.int64]:
        """Return the places of ``items`` among equals, lower first; the arguments broadcast."""
        places: NDArray[np.int64] = self.permutation[(items + self.offsets[users]) % len(self.permutation)]
        return places


def rank_top_k(
    scorer: Scorer, held: HeldOut, k: int, protocols: Sequence[RankingProtocol], seed: int
) -> dict[RankingProtocol, TopK]:
    """Make every judged user's list under each protocol from one pass over the scores.

    `full`: every item the user has not rated in training is a candidate. `rated`: only the user's
    held-out items are. Ties are broken by `TieBreaker`.

    Raises
    ------
    EvaluationError
        If scores have the wrong shape or are not finite.
    """
    ties = TieBreaker.of(seed, int(held.train.shape[0]), held.n_items)
    own_scores: list[FloatArray] = []
    full = np.full((len(held.users), k), NO_ITEM, dtype=np.int64)
    for block in _blocks(held):
        users = held.users[block]
        scores = _request(scorer, users, held.n_items)
        if "rated" in protocols:
            rows = slice(held.starts[block.start], held.starts[block.stop])
            own_scores.append(scores[held.user_position[rows] - block.start, held.items[rows]])
        if "full" in protocols:
            seen = held.train[users].tocoo()
            scores[seen.row, seen.col] = -np.inf
            found = top_k(scores, k, ties.of_users(users))
            full[block, : found.shape[1]] = found
    lists: dict[RankingProtocol, TopK] = {}
    for protocol in protocols:
        lists[protocol] = (
            TopK.of(full, held)
            if protocol == "full"
            else _rank_rated(np.concatenate(own_scores), held, k, ties)
        )
    return lists


def top_k(scores: FloatArray, k: int, ties: TieBreaker) -> NDArray[np.int64]:
    """Return each row's first k columns by falling score, shape (n, min(k, n_items)).

    ``ties``, whose users are the rows, orders equal scores, also across the cut. Columns scored -inf are no
    candidates and leave `NO_ITEM` at the end.
    """
    n, n_items = scores.shape
    k = min(k, n_items)
    threshold = np.partition(scores, n_items - k, axis=1)[:, n_items - k, None]
    candidates = scores >= threshold
    crowded = np.flatnonzero(np.count_nonzero(candidates, axis=1) > k)
    if len(crowded):
        tied = scores[crowded] == threshold[crowded]
        places = np.where(tied, ties.rank(crowded[:, None], np.arange(n_items)), n_items)
        places[candidates[crowded] & ~tied] = -1
        chosen = np.argpartition(places, k - 1, axis=1)[:, :k]
        candidates[crowded] = False
        candidates[crowded[:, None], chosen] = True
    columns = np.nonzero(candidates)[1].reshape(n, k)
    rows = np.arange(n)[:, None]
    values = scores[rows, columns]
    columns = columns[rows, np.lexsort((ties.rank(rows, columns), -values), axis=1)]
    columns[scores[rows, columns] == -np.inf] = NO_ITEM
    return columns


def _rank_rated(scores: FloatArray, held: HeldOut, k: int, ties: TieBreaker) -> TopK:
    order = np.lexsort((ties.rank(held.users[held.user_position], held.items), -scores, held.user_position))
    owner = held.user_position[order]
    place = np.arange(len(owner)) - held.starts[owner]
    top = place < k
    items = np.full((len(held.users), k), NO_ITEM, dtype=np.int64)
    hits = np.zeros(items.shape, dtype=bool)
    items[owner[top], place[top]] = held.items[order][top]
    hits[owner[top], place[top]] = held.relevant[order][top]
    return TopK(items, hits)


def _blocks(held: HeldOut) -> Iterator[slice]:
    size = max(1, BLOCK_CELLS // held.n_items)
    for start in range(0, len(held.users), size):
        yield slice(start, min(start + size, len(held.users)))


def _request(scorer: Scorer, users: NDArray[np.int64], n_items: int) -> FloatArray:
    """Return the users' scores as an own floating copy that may be written to."""
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
