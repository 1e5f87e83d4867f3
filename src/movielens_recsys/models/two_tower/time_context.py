"""`TimeContext`: the groups and ages that a pair has at a timestamp, from the training ratings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import I32, I64, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import Arrays, prefixed, strip_prefix
from movielens_recsys.models.features.time_groups import RatingGroups
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig

UNKNOWN_AGE = -1
AGES = ("user_age", "item_age")


@dataclass(frozen=True, eq=False)
class TimeContext:
    """Finds the groups of training ratings that a pair at a timestamp belongs to, and both ages.

    Attributes
    ----------
    groups
        The groups by day, month and session.
    first_timestamps
        The first training rating of each user and of each item, in seconds since 1970 (UTC), int64 of shape
        (n_users,) and (n_items,); None without timestamps or time effects.
    """

    groups: RatingGroups
    first_timestamps: tuple[I64, I64] | None

    @classmethod
    def of(cls, config: HybridVAEConfig, train: Ratings) -> Self:
        """Index training ratings sorted by user and timestamp."""
        # Without the effect of genres by user: the item tower reads genres itself.
        groups, _ = RatingGroups.of(
            train, time_effects=config.time_effects, sessions=config.sessions, side_information=False
        )
        if train.timestamps is None or not config.time_effects:
            return cls(groups, None)
        first_timestamps = (
            _first_timestamps(train.users, train.timestamps, train.n_users),
            _first_timestamps(train.items, train.timestamps, train.n_items),
        )
        return cls(groups, first_timestamps)

    @property
    def names(self) -> tuple[str, ...]:
        """The effects, in the order of their columns."""
        return tuple(sorted(self.groups.keys))

    @property
    def width(self) -> int:
        """Number of columns that `columns` returns."""
        return len(self.names) + (0 if self.first_timestamps is None else len(AGES))

    def n_groups(self, name: str) -> int:
        """Return how many groups an effect has."""
        return len(self.groups.keys[name])

    def columns(self, users: IntArray, items: IntArray, timestamps: I64 | None) -> I32:
        """Return each pair's group under each effect, then the ages of user and item in seconds.

        Shape (n, `width`). An age counts from the first training rating and is at least 0. An unknown group
        or age is -1.
        """
        groups = self.groups.find(users, items, timestamps)
        columns = [groups[name] for name in self.names]
        if self.first_timestamps is not None:
            pairs = zip(self.first_timestamps, (users, items), strict=True)
            columns += [_age(first, index, timestamps) for first, index in pairs]
        return np.stack(columns, axis=1) if columns else np.zeros((len(users), 0), np.int32)

    def state(self) -> Arrays:
        """Return every array under its name in a bundle."""
        arrays = prefixed("effects.", self.groups.state())
        if self.first_timestamps is not None:
            arrays["first_of_users"], arrays["first_of_items"] = self.first_timestamps
        return arrays

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild from `state`'s arrays."""
        first_timestamps = None
        if "first_of_users" in state:
            users, items = state["first_of_users"], state["first_of_items"]
            first_timestamps = (users.astype(np.int64), items.astype(np.int64))
        return cls(RatingGroups.from_state(strip_prefix("effects.", state)), first_timestamps)


def _first_timestamps(index: IntArray, timestamps: I64, n: int) -> I64:
    """Return the earliest timestamp of each user or item; of one without ratings, the latest of all."""
    first = np.full(n, timestamps.max(), np.int64)
    np.minimum.at(first, index, timestamps)
    return first


def _age(first: I64, index: IntArray, timestamps: I64 | None) -> I32:
    if timestamps is None:
        return np.full(len(index), UNKNOWN_AGE, np.int32)
    age = np.clip(timestamps - first[np.maximum(index, 0)], 0, np.iinfo(np.int32).max)
    return np.where(index < 0, UNKNOWN_AGE, age).astype(np.int32)
