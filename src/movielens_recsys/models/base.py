"""What all models share: the data they are for, checked indices, and a state of named arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from movielens_recsys.arrays import F32, F64, I64, FloatArray, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.errors import ModelError
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.recommender import UNKNOWN

Arrays = dict[str, NDArray[np.generic]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DataSpec:
    """The data that a model is for: how many users and items, and the rating scale."""

    n_users: int
    n_items: int
    scale: Scale

    @classmethod
    def of(cls, ratings: Ratings) -> Self:
        """Return that of ``ratings``: its id maps and scale, whatever rows it holds."""
        return cls(ratings.n_users, ratings.n_items, ratings.scale)

    @property
    def levels(self) -> Scale:
        """The levels of ordinal models: those of ``scale``, or bins of equal width where it has too many."""
        return self.scale.ordinal

    def in_stars(self) -> DataSpec:
        """Return the same with a scale in stars, in which networks work; see `Scale.star`."""
        return replace(self, scale=self.scale.in_stars())

    def clip(self, ratings: FloatArray) -> F32:
        """Bring ``ratings`` into the scale."""
        return np.clip(ratings, self.scale.minimum, self.scale.maximum).astype(np.float32, copy=False)

    def from_steps(self, steps: F64) -> F32:
        """Return the ratings that are so many steps of `levels` above the lowest, shape (n,)."""
        return self.clip(self.levels.minimum + self.levels.step_width * steps)

    def check(self, users: IntArray | None = None, items: IntArray | None = None) -> None:
        """Refuse indices outside the id maps.

        Raises
        ------
        ModelError
            If an index is below `UNKNOWN` or beyond the last user or item.
        """
        for kind, index, size in (("user", users, self.n_users), ("item", items, self.n_items)):
            if index is None or len(index) == 0:
                continue
            if int(np.min(index)) < UNKNOWN or int(np.max(index)) >= size:
                wrong = index[(index < UNKNOWN) | (index >= size)][0]
                raise ModelError(
                    f"{kind} index {wrong}",
                    expected=f"an index from 0 to {size - 1}, or {UNKNOWN} for an unknown {kind}",
                    next_step=f"map original {kind} ids to indices with the ratings' id maps",
                )

    def check_history(self, items: IntArray, ratings: FloatArray) -> None:
        """Refuse a history to fold in that makes no sense: one rating for each item, each on the scale.

        Raises
        ------
        ModelError
            The lengths differ, an index is outside the id maps or there twice, or a rating is not finite, off
            the scale or between two of its steps.
        """
        if np.shape(items) != np.shape(ratings):
            raise ModelError(
                f"a history of {np.size(items)} items and {np.size(ratings)} ratings",
                expected="one rating for each item",
                next_step="pass items and ratings of the same length",
            )
        self.check(items=items)
        known, times = np.unique(np.asarray(items)[np.asarray(items) != UNKNOWN], return_counts=True)
        if (times > 1).any():
            raise ModelError(
                f"item index {known[times > 1][0]} is {times.max()} times in a history",
                expected="each item once",
                next_step="keep one rating of that item, such as the latest",
            )
        values = np.asarray(ratings, np.float64)
        inside = (values >= self.scale.minimum) & (values <= self.scale.maximum)  # NaN compares false
        off_scale = ~inside
        off_scale[inside] = self.scale.is_off_step(values[inside])
        if off_scale.any():
            raise ModelError(
                f"a rating of {values[off_scale][0]:g} in a history",
                expected=f"ratings from {self.scale}",
                next_step="correct or leave out that rating",
            )


class Model(ABC):
    """A recommender whose learned state is named arrays.

    Keeps the `movielens_recsys.recommender.Recommender` contract. `models.table` names every subclass, so
    that `models.factory` can fit it and restore it.
    """

    def __init__(self, config: ModelConfig, domain: DataSpec) -> None:
        self.config = config
        self.domain = domain

    @classmethod
    @abstractmethod
    def fit(cls, config: Any, train: Ratings, seed: int = 0) -> Model:
        """Learn from the rows of ``train``; a network is only initialised, `training.fit` trains it."""

    @classmethod
    @abstractmethod
    def from_state(cls, config: Any, domain: DataSpec, state: Mapping[str, NDArray[np.generic]]) -> Model:
        """Rebuild the model whose `state` is ``state``."""

    @property
    def n_parameters(self) -> int:
        """Number of parameters that gradient descent trains; 0 for a model without a network."""
        return 0

    @property
    def n_users(self) -> int:
        """Number of users of the id map."""
        return self.domain.n_users

    @property
    def n_items(self) -> int:
        """Number of items of the catalogue."""
        return self.domain.n_items

    @property
    def score_meaning(self) -> str:
        """What `score` orders a user's items by, in words for users."""
        return "predicted rating"

    @property
    def fallback_meaning(self) -> str:
        """What the items of a user of whom nothing is known are ordered by, in words for users."""
        return "predicted rating without the user's own ratings"

    @property
    def known_users(self) -> NDArray[np.bool_]:
        """Whose ratings predictions use, shape (n_users,); the fallback predicts for all others.

        All users, for a model that predicts the same for everyone.
        """
        return np.ones(self.n_users, bool)

    @property
    def known_items(self) -> NDArray[np.bool_]:
        """Which items' ratings predictions use, shape (n_items,); the fallback predicts for all others."""
        return np.ones(self.n_items, bool)

    @property
    def ranked_users(self) -> NDArray[np.bool_]:
        """Whose ratings scores use, shape (n_users,); the fallback scores for all others."""
        return self.known_users

    @property
    def ranked_items(self) -> NDArray[np.bool_]:
        """Which items scores say something of, shape (n_items,); all others come last."""
        return np.ones(self.n_items, bool)

    @property
    def training_positives(self) -> sparse.csr_array | None:
        """The users' training positives, shape (n_users, n_items), if the model keeps them."""
        return None

    @abstractmethod
    def predict(self, users: IntArray, items: IntArray) -> F32:
        """Return predicted ratings, shape (n,), inside the scale."""

    @abstractmethod
    def score(self, users: IntArray) -> F32:
        """Return scores, shape (len(users), n_items), for ranking the catalogue for each user."""

    @abstractmethod
    def fold_in(self, items: IntArray, ratings: FloatArray) -> F32:
        """Return predicted ratings, shape (n_items,), for a new user with this history."""

    @abstractmethod
    def state(self) -> Arrays:
        """Return all that was learned, as named arrays."""


class TimeAwareModel(Model):
    """A model whose predictions depend on the time: it is a `TimeAwareRecommender`."""

    def predict(self, users: IntArray, items: IntArray) -> F32:
        """Return predicted ratings, shape (n,), at an unknown time."""
        return self._predict(users, items, None)

    def predict_at(self, users: IntArray, items: IntArray, timestamps: I64) -> F32:
        """Return predicted ratings, shape (n,), at ``timestamps`` in seconds since 1970 (UTC)."""
        return self._predict(users, items, timestamps)

    @abstractmethod
    def _predict(self, users: IntArray, items: IntArray, timestamps: I64 | None) -> F32: ...


def require_ratings(train: Ratings) -> None:
    """Refuse to fit without training ratings."""
    if len(train) == 0:
        raise ModelError("no training ratings", expected="at least one", next_step="choose another split")


def prefixed(prefix: str, state: Mapping[str, NDArray[np.generic]]) -> Arrays:
    """Return the arrays with ``prefix`` before their names."""
    return {f"{prefix}{name}": array for name, array in state.items()}


def strip_prefix(prefix: str, state: Mapping[str, T]) -> dict[str, T]:
    """Return the arrays, or tensors, whose names begin with ``prefix``, named without it."""
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}
