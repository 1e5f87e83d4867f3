"""What all implicit models share: a history is a row of positives, and they score the catalogue for it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from movielens_recsys.arrays import F32, FloatArray, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.errors import ModelError
from movielens_recsys.models.base import Arrays, DataSpec, Model, prefixed, require_ratings, strip_prefix
from movielens_recsys.models.baselines import UserItemBias
from movielens_recsys.models.baselines_config import UserItemBiasConfig
from movielens_recsys.models.implicit.config import ImplicitConfig

InteractionMatrix: TypeAlias = sparse.csr_array
"""Ones where a user has a positive, shape (n_users, n_items), float32."""


class ImplicitModel(Model):
    """A recommender that orders items by which ones a history holds, not by their ratings.

    Keeps the `movielens_recsys.recommender.HistoryRanker` contract. Two fallbacks: ratings are predicted by
    `UserItemBias`, as scores are no ratings; for a history without a positive, scores are popularity, the
    number of training positives of each item. Items that are not `scored` rank below all others.

    Attributes
    ----------
    histories
        The positives of all users, shape (n_users, n_items).
    learned
        The arrays that `fit_arrays` returned.
    """

    config: ImplicitConfig

    def __init__(
        self,
        config: ImplicitConfig,
        domain: DataSpec,
        histories: InteractionMatrix,
        fallback: UserItemBias,
        learned: Mapping[str, NDArray[np.generic]],
    ) -> None:
        super().__init__(config, domain)
        self.histories = histories
        self.fallback = fallback
        self.learned = learned
        self.popularity = np.bincount(histories.indices, minlength=domain.n_items).astype(np.float32)

    @classmethod
    @abstractmethod
    def fit_arrays(cls, config: Any, histories: InteractionMatrix, seed: int) -> Arrays:
        """Return what is learned from the histories of all users, as named arrays."""

    @abstractmethod
    def score_histories(self, histories: InteractionMatrix) -> F32:
        """Return scores of the catalogue for each row of ``histories``, shape (rows, n_items).

        The rows may be of users who were not in the training ratings.
        """

    @classmethod
    def fit(cls, config: ImplicitConfig, train: Ratings, seed: int = 0) -> Self:
        """Learn from the positives of ``train``.

        Raises
        ------
        ModelError
            If there are no ratings, or none of them is a positive.
        """
        require_ratings(train)
        threshold = config.positive_threshold_on(train.scale)
        histories = interaction_matrix(train, threshold)
        if histories.nnz == 0:
            raise ModelError(
                f"no training rating reaches min_positive_rating = {threshold:g}",
                expected=f"a threshold within the scale {train.scale.minimum:g} to {train.scale.maximum:g}",
                next_step="lower model.min_positive_rating",
            )
        fallback = UserItemBias.fit(UserItemBiasConfig(), train)
        return cls(config, DataSpec.of(train), histories, fallback, cls.fit_arrays(config, histories, seed))

    @property
    def score_meaning(self) -> str:
        """Scores are of choices."""
        return "how likely the user is to choose the item next, not how they would rate it"

    @property
    def fallback_meaning(self) -> str:
        """The fallback is popularity."""
        return "popularity, the number of users who chose an item"

    @property
    def known_users(self) -> NDArray[np.bool_]:
        """Users whose bias is known, since the biases predict."""
        return self.fallback.known_users

    @property
    def known_items(self) -> NDArray[np.bool_]:
        """Items whose bias is known, since the biases predict."""
        return self.fallback.known_items

    @property
    def ranked_users(self) -> NDArray[np.bool_]:
        """Users with a positive; all others get the most popular items."""
        positives: NDArray[np.bool_] = np.diff(self.histories.indptr) > 0
        return positives

    @property
    def ranked_items(self) -> NDArray[np.bool_]:
        """Items that it has learned something of."""
        return self.scored

    @property
    def training_positives(self) -> InteractionMatrix:
        """The histories that it scores by."""
        return self.histories

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Items that scores say something about, shape (n_items,): those with a training positive."""
        return self.popularity > 0

    def predict(self, users: IntArray, items: IntArray) -> F32:
        """Return the fallback's predictions: mean + b_u + b_i."""
        return self.fallback.predict(users, items)

    def fold_in(self, items: IntArray, ratings: FloatArray) -> F32:
        """Return the fallback's predictions for a new user; `score_history` ranks for them."""
        return self.fallback.fold_in(items, ratings)

    def score(self, users: IntArray) -> F32:
        """Return scores given the users' training positives, for items that they rated too."""
        self.domain.check(users)
        known = np.asarray(users)[np.asarray(users) >= 0]
        scores = np.tile(self.popularity, (len(users), 1))
        scores[np.asarray(users) >= 0] = self._scores_or_fallback(self.histories[known])
        return scores

    def score_history(self, items: IntArray, ratings: FloatArray) -> F32:
        """Return scores of the catalogue, shape (n_items,), for a user with this history."""
        self.domain.check_history(items, ratings)
        threshold = self.config.positive_threshold_on(self.domain.scale)
        chosen = (np.asarray(items) >= 0) & _is_positive(np.asarray(ratings), threshold)
        columns = np.unique(np.asarray(items)[chosen])
        row = (np.ones(len(columns), np.float32), (np.zeros(len(columns), np.int32), columns))
        scores: F32 = self._scores_or_fallback(sparse.csr_array(row, shape=(1, self.n_items)))[0]
        return scores

    def _scores_or_fallback(self, histories: InteractionMatrix) -> F32:
        empty = np.diff(histories.indptr) == 0
        scores = self.score_histories(histories)
        # An item of which nothing was learned scores 0 or so, above those that the user is known not to want.
        scores[:, ~self.scored] = scores.min(axis=1, keepdims=True) - 1
        scores[empty] = self.popularity
        return scores

    def state(self) -> Arrays:
        """Return what was learned, the histories, and the fallback's biases."""
        return {
            **prefixed("learned.", self.learned),
            **prefixed("fallback.", self.fallback.state()),
            "histories.starts": self.histories.indptr,
            "histories.items": self.histories.indices,
        }

    @classmethod
    def from_state(
        cls, config: ImplicitConfig, domain: DataSpec, state: Mapping[str, NDArray[np.generic]]
    ) -> Self:
        """Rebuild from the arrays of `state`."""
        items, starts = state["histories.items"], state["histories.starts"]
        shape = (domain.n_users, domain.n_items)
        histories = sparse.csr_array((np.ones(len(items), np.float32), items, starts), shape=shape)
        fallback = UserItemBias.from_state(UserItemBiasConfig(), domain, strip_prefix("fallback.", state))
        return cls(config, domain, histories, fallback, strip_prefix("learned.", state))


def interaction_matrix(train: Ratings, min_positive_rating: float | None) -> InteractionMatrix:
    """Return a one where a user gave an item ``min_positive_rating`` stars or more; None: any rating."""
    chosen = _is_positive(train.ratings, min_positive_rating)
    users, items = train.users[chosen], train.items[chosen]
    table = sparse.csr_array(
        (np.ones(len(users), np.float32), (users, items)), shape=(train.n_users, train.n_items)
    )
    table.sum_duplicates()
    table.data[:] = 1
    return table


def _is_positive(ratings: FloatArray, min_positive_rating: float | None) -> NDArray[np.bool_]:
    if min_positive_rating is None:
        return np.ones(len(ratings), bool)
    reached: NDArray[np.bool_] = ratings >= np.float32(min_positive_rating)
    return reached
