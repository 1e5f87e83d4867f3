"""Predicted ratings of pairs, with a word on those that the model's fallback predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from movielens_recsys.arrays import F32, I64
from movielens_recsys.models.base import Model
from movielens_recsys.recommender import UNKNOWN, TimeAwareRecommender


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predicted ratings, float32 of shape (n,), and why the fallback predicted: None where it did not."""

    ratings: F32
    fallback: NDArray[np.object_]


def predict_pairs(model: Model, users: I64, items: I64, timestamps: pl.Series | None = None) -> Predictions:
    """Predict the ratings of n pairs of indices, `UNKNOWN` for an id outside the id maps.

    A time-aware model predicts at ``timestamps``, seconds since 1970 (UTC), where they are not null.
    """
    timed = np.zeros(len(users), bool)
    ratings = np.empty(len(users), np.float32)
    if timestamps is not None and isinstance(model, TimeAwareRecommender):
        timed = timestamps.is_not_null().to_numpy()
        times = timestamps.drop_nulls().to_numpy()
        ratings[timed] = model.predict_at(users[timed], items[timed], times)
    ratings[~timed] = model.predict(users[~timed], items[~timed])
    of_users = _why("user", users, model.known_users)
    return Predictions(ratings, _joined(of_users, _why("item", items, model.known_items)))


def _why(kind: str, index: I64, known: NDArray[np.bool_]) -> NDArray[np.object_]:
    learned = np.append(known, False)[index]  # UNKNOWN, -1, reads the last
    reasons = np.where(index == UNKNOWN, f"unknown {kind}", f"{kind} without training ratings")
    return np.where(learned, "", reasons).astype(object)


def _joined(first: NDArray[np.object_], second: NDArray[np.object_]) -> NDArray[np.object_]:
    separator = np.where((first != "") & (second != ""), ", ", "").astype(object)
    joined = first + separator + second
    return np.array([reason or None for reason in joined], dtype=object)
