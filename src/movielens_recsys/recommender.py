"""The interface of recommenders: all that evaluation and serving use of a model."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import FloatArray, IntArray

UNKNOWN = -1
"""The index of a user or item outside the id maps; every recommender predicts it by its fallback."""


@runtime_checkable
class Recommender(Protocol):
    """Predicts ratings for pairs, scores all items for users, and folds in new users.

    Users and items are contiguous indices of one `Ratings`; `UNKNOWN` (-1), and users or items
    without a training rating, are predicted by the model's documented fallback, never refused.
    """

    @property
    def n_users(self) -> int:
        """Number of users of the id map."""

    @property
    def n_items(self) -> int:
        """Number of items of the id map."""

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """Return predicted ratings, shape (n,), inside the rating scale, for n (user, item) pairs."""

    def score(self, users: IntArray) -> FloatArray:
        """Return scores, shape (len(users), n_items); a higher score ranks higher.

        Scores rank the items of one user; they are not ratings and not comparable between users.
        """

    def fold_in(self, items: IntArray, ratings: FloatArray) -> FloatArray:
        """Return predicted ratings, shape (n_items,), for a new user who gave ``ratings`` to ``items``.

        The recommender itself does not change. An item may be there once, `UNKNOWN` any number of times. For
        an empty history, network and Bayesian models predict from their prior of a new user, other models by
        the fallback.
        """


@runtime_checkable
class TimeAwareRecommender(Recommender, Protocol):
    """A recommender that also predicts at given timestamps; its `predict` is for an unknown timestamp."""

    def predict_at(self, users: IntArray, items: IntArray, timestamps: NDArray[np.int64]) -> FloatArray:
        """Return predicted ratings, shape (n,), at ``timestamps`` in seconds since 1970 (UTC)."""


@runtime_checkable
class HistoryRanker(Recommender, Protocol):
    """A recommender that ranks all items for a history, as serving needs for a new user.

    For a `Recommender` without it, the predicted ratings of `fold_in` give the ranking.
    """

    def score_history(self, items: IntArray, ratings: FloatArray) -> FloatArray:
        """Return scores, shape (n_items,), for a user who gave ``ratings`` to ``items``.

        As with `score`, the items of the history are scored too. An empty history is scored by the fallback.
        """


@runtime_checkable
class SimilarityRecommender(Recommender, Protocol):
    """A recommender that has learned which items are alike."""

    @property
    def similarity_meaning(self) -> str:
        """What the similarities are, in words for users."""

    def item_similarities(self, item: int) -> FloatArray:
        """Return the similarity of every item to ``item``, shape (n_items,); a higher one is more alike.

        0 where nothing was learned of either item; the value of ``item`` itself means nothing.
        """
