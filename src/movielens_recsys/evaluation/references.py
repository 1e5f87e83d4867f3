"""Reference rows: what no skill, mere popularity and perfect foresight get on the same split.

A figure says little alone: under `rated`, a random order of the user's own held-out items can reach
half of what is possible. These rows stand beside every figure.
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
    """No skill: ratings drawn from the training distribution, items in a random order for each user."""

    train_ratings: NDArray[np.float32]
    n_items: int
    seed: int

    @classmethod
    def of(cls, split: Split, seed: int) -> RandomScorer:
        """Take the distribution of a split's training ratings."""
        return cls(split.ratings.ratings[split.train], split.ratings.n_items, seed)

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """Draw ratings, shape (n,); the same pairs asked for at once get the same ones again."""
        rng = generator(self.seed, f"random ratings from user {users[0] if len(users) else 0}")
        return rng.choice(self.train_ratings, size=len(users))

    def score(self, users: IntArray) -> FloatArray:
        """Draw scores, shape (len(users), n_items), a stream per user."""
        return np.stack(
            [
                generator(self.seed, f"random scores of user {user}").random(self.n_items, dtype=np.float32)
                for user in users
            ]
        )


@dataclass(frozen=True, eq=False)
class PopularityScorer:
    """The same list for everyone: items by their number of training ratings. It predicts no stars."""

    counts: NDArray[np.float32]

    @classmethod
    def of(cls, held: HeldOut) -> PopularityScorer:
        """Count the training ratings of each item."""
        return cls(held.train_counts.astype(np.float32))

    def score(self, users: IntArray) -> FloatArray:
        """Return the counts for each user, shape (len(users), n_items)."""
        return np.broadcast_to(self.counts, (len(users), len(self.counts)))


@dataclass(frozen=True, eq=False)
class OracleScorer:
    """Perfect foresight: knows the held-out ratings. No recommender can do better on this split."""

    held: HeldOut

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """Return the held-out ratings themselves, shape (n,)."""
        cells = self.held.users[self.held.user_position] * self.held.n_items + self.held.items
        order = np.argsort(cells)
        found = np.searchsorted(cells, np.asarray(users, np.int64) * self.held.n_items + items, sorter=order)
        return self.held.ratings[order[found]]

    def score(self, users: IntArray) -> FloatArray:
        """Return held-out ratings, and less than any rating for all other items."""
        scores = np.full((len(users), self.held.n_items), self.held.ratings.min() - 1, dtype=np.float32)
        for row, position in enumerate(np.searchsorted(self.held.users, users)):
            own = slice(self.held.starts[position], self.held.starts[position + 1])
            scores[row, self.held.items[own]] = self.held.ratings[own]
        return scores
