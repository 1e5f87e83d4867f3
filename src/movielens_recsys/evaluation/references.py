"""Reference models: random order, popularity and an oracle, evaluated on the same split as the recommender.

They give the scale of every metric: under `rated`, a random order of the user's held-out items can reach
half of the best possible value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import FloatArray, IntArray
from movielens_recsys.data.splits.split import Split
from movielens_recsys.evaluation.candidates import HeldOut
from movielens_recsys.seeds import generator

RANDOM, POPULARITY, PERFECT = "random", "popularity", "perfect"


@dataclass(frozen=True, eq=False)
class RandomScorer:
    """Ratings drawn from the training distribution, and items in a random order for each user."""

    train_ratings: NDArray[np.float32]
    n_items: int
    seed: int

    @classmethod
    def of(cls, split: Split, seed: int) -> RandomScorer:
        """Take the distribution of a split's training ratings."""
        return cls(split.ratings.ratings[split.train], split.ratings.n_items, seed)

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """Draw ratings, shape (n,); a repeated call with the same pairs gives the same ratings."""
        rng = generator(self.seed, f"random ratings from user {users[0] if len(users) else 0}")
        return rng.choice(self.train_ratings, size=len(users))

    def score(self, users: IntArray) -> FloatArray:
        """Draw scores, shape (len(users), n_items), from one random stream per user."""
        return np.stack(
            [
                generator(self.seed, f"random scores of user {user}").random(self.n_items, dtype=np.float32)
                for user in users
            ]
        )


@dataclass(frozen=True, eq=False)
class PopularityScorer:
    """One ranking for all users: items by their number of training ratings. It predicts no ratings."""

    counts: NDArray[np.float32]

    @classmethod
    def of(cls, held_out: HeldOut) -> PopularityScorer:
        """Count the training ratings of each item."""
        return cls(held_out.train_counts.astype(np.float32))

    def score(self, users: IntArray) -> FloatArray:
        """Return the counts for each user, shape (len(users), n_items)."""
        return np.broadcast_to(self.counts, (len(users), len(self.counts)))


@dataclass(frozen=True, eq=False)
class OracleScorer:
    """Scores items by their held-out ratings: the upper bound of every accuracy metric on this split."""

    held_out: HeldOut

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """Return the held-out ratings of pairs that are all held out, shape (n,)."""
        held_out = self.held_out
        pairs = held_out.users[held_out.user_position] * held_out.n_items + held_out.items
        order = np.argsort(pairs)
        wanted = np.asarray(users, np.int64) * held_out.n_items + items
        return held_out.ratings[order[np.searchsorted(pairs, wanted, sorter=order)]]

    def score(self, users: IntArray) -> FloatArray:
        """Return held-out ratings, and a score below any rating for all other items."""
        held_out = self.held_out
        below_all = held_out.ratings.min() - 1
        scores = np.full((len(users), held_out.n_items), below_all, dtype=np.float32)
        for row, position in enumerate(np.searchsorted(held_out.users, users)):
            own = slice(held_out.starts[position], held_out.starts[position + 1])
            scores[row, held_out.items[own]] = held_out.ratings[own]
        return scores
