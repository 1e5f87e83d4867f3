"""What a recommender is. The only thing that evaluation and serving know of a model."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import FloatArray, IntArray

UNKNOWN = -1
"""The index of a user or item that the id maps do not hold; every recommender answers it by fallback."""


@runtime_checkable
class Recommender(Protocol):
    """Predicts ratings for pairs, scores the catalogue for users, and takes in a person never seen.

    Users and items are contiguous indices of one `Ratings`; `UNKNOWN` (-1), and users or items
    without a training rating, are answered by the model's documented fallback, never refused.
    """

    @property
    def n_users(self) -> int:
        """Number of users of the id map."""

    @property
    def n_items(self) -> int:
        """Number of items of the catalogue."""

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """Return predicted ratings, shape (n,), inside the rating scale, for n (user, item) pairs."""

    def score(self, users: IntArray) -> FloatArray:
        """Return scores, shape (len(users), n_items); a higher score stands earlier in the list.

        Scores order items for one user; they are not ratings and not comparable between users.
        """

    def fold_in(self, items: IntArray, ratings: FloatArray) -> FloatArray:
        """Return predicted ratings, shape (n_items,), for a new person who gave ``ratings`` to ``items``.

        The recommender itself does not change. An empty history is answered by the fallback.
        """


@runtime_checkable
class TimeAwareRecommender(Recommender, Protocol):
    """A recommender that also predicts for a moment: its `predict` is for one that nothing is known of."""

    def predict_at(self, users: IntArray, items: IntArray, timestamps: NDArray[np.int64]) -> FloatArray:
        """Return predicted ratings, shape (n,), at ``timestamps`` in seconds since 1970 (UTC)."""


@runtime_checkable
class HistoryRanker(Recommender, Protocol):
    """A recommender that orders the catalogue for a history: what serving asks for a person never seen.

    For a `Recommender` without it, the predicted ratings of `fold_in` order the list.
    """

    def score_history(self, items: IntArray, ratings: FloatArray) -> FloatArray:
        """Return scores, shape (n_items,), for a person who gave ``ratings`` to ``items``.

        As with `score`, the history's own items are scored too. An empty history is answered by the fallback.
        """
