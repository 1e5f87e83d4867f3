"""Meta-features of users and items: number, mean and distribution of their training ratings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F64, I64, FloatArray, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.models.base import Arrays

ENDS = (0.0, 0.5, 1.0)
"""Places on the scale, from lowest (0) to highest (1), near which ratings are counted."""
WITHIN = 0.1
ITEM_FEATURES = ("log count", "mean")


@dataclass(frozen=True, eq=False)
class MetaFeatures:
    """Features of every user and item for a stacker, from training ratings alone.

    Attributes
    ----------
    users
        Shape (n_users + 1, 6): log(1 + count), mean and standard deviation in stars, and the fractions of
        ratings within a tenth of the lowest, the middle and the highest of the scale (of 1 to 5 stars: 1, 3
        and 5). The last row, and that of a user without a rating, is an unknown user's: 0, the mean rating,
        0, ...
    items
        Shape (n_items + 1, 2): log(1 + count) and mean, likewise.
    """

    users: F64
    items: F64

    @classmethod
    def of(cls, train: Ratings) -> Self:
        """Count and average the training ratings."""
        ratings, mean = train.ratings.astype(np.float64), float(train.ratings.mean(dtype=np.float64))
        users = _features(train.users.astype(np.int64), ratings, train.n_users + 1, mean, train.scale)
        items = _features(train.items.astype(np.int64), ratings, train.n_items + 1, mean, train.scale)
        return cls(users, items[:, : len(ITEM_FEATURES)].copy())

    def pairs(self, users: IntArray, items: IntArray) -> F64:
        """Return the features of users and items for n pairs, shape (n, 8); -1 is an unknown user or item."""
        return np.concatenate([self.users[users], self.items[items]], axis=1)

    def new_user(self, ratings: FloatArray, scale: Scale) -> F64:
        """Return the features of a new user with this history and of every item, shape (n_items, 8)."""
        entity, values = np.zeros(len(ratings), np.int64), np.asarray(ratings, np.float64)
        row = _features(entity, values, 1, float(self.users[-1, 1]), scale)
        n_items = len(self.items) - 1
        return np.concatenate([np.repeat(row, n_items, axis=0), self.items[:-1]], axis=1)

    def state(self) -> Arrays:
        """Return both arrays."""
        return {"users": self.users, "items": self.items}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild from `state`'s arrays."""
        return cls(state["users"].astype(np.float64), state["items"].astype(np.float64))


def _features(entity: I64, ratings: F64, n: int, mean: float, scale: Scale) -> F64:
    """Return the features of ``n`` users or items, shape (n, 6); ``mean`` and zeros without ratings."""
    counts = np.bincount(entity, minlength=n)

    def average(values: F64) -> F64:
        return np.bincount(entity, values, n) / np.maximum(counts, 1)

    means = np.where(counts > 0, average(ratings), mean)
    deviations = np.sqrt(average((ratings - means[entity]) ** 2))
    places = (ratings - scale.minimum) / scale.span
    shares = [average((np.abs(places - end) <= WITHIN + 1e-9).astype(np.float64)) for end in ENDS]
    return np.column_stack([np.log1p(counts), means, deviations, *shares])
