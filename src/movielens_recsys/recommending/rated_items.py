"""Which items each user has rated: they are not recommended again."""

from __future__ import annotations

from typing import Self

import numpy as np

from movielens_recsys.arrays import IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import Model
from movielens_recsys.recommender import UNKNOWN


class RatedItems:
    """The rated items of every user, from pairs of indices of shape (n,), each pair once."""

    def __init__(self, users: IntArray, items: IntArray, n_users: int) -> None:
        order = np.argsort(users, kind="stable")
        self._items = items[order]
        self._starts = np.searchsorted(users[order], np.arange(n_users + 1))

    @classmethod
    def of(cls, ratings: Ratings) -> Self:
        """Return those of all rows of ``ratings``."""
        return cls(ratings.users, ratings.items, ratings.n_users)

    @classmethod
    def kept_by(cls, model: Model) -> Self:
        """Return the training positives that a ranking model keeps; for any other model, nothing."""
        histories = model.training_positives
        if histories is None:
            nothing = np.empty(0, np.int64)
            return cls(nothing, nothing, model.n_users)
        pairs = histories.tocoo()
        return cls(pairs.row, pairs.col, model.n_users)

    def __getitem__(self, user: int) -> IntArray:
        """Return the items that the user with this index has rated; none for `UNKNOWN`."""
        if user == UNKNOWN:
            return self._items[:0]
        return self._items[self._starts[user] : self._starts[user + 1]]
