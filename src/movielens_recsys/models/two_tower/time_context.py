"""`TimeContext`: what is known of a rating's time when it is predicted, as indices for a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import I32, I64
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import Arrays
from movielens_recsys.models.features.time_groups import RatingGroups
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig

UNKNOWN_AGE = -1
AGES = ("user_age", "item_age")


@dataclass(frozen=True, eq=False)
class TimeContext:
    """Finds for a user, an item and a time the groups of training ratings that share it, and both ages.

    Attributes
    ----------
    effects
        The groups, see `bayesian.effects`.
    first
        The first training rating of each user and of each item, in seconds since 1970; None without times.
    """

    effects: RatingGroups
    first: tuple[I64, I64] | None

    @classmethod
    def of(cls, config: HybridVAEConfig, train: Ratings) -> Self:
        """Take training ratings sorted by user and time."""
        effects, _ = RatingGroups.of(
            train, time_effects=config.time_effects, sessions=config.sessions, side_information=False
        )
        if train.timestamps is None or not config.time_effects:
            return cls(effects, None)
        first = (
            _first(train.users, train.timestamps, train.n_users),
            _first(train.items, train.timestamps, train.n_items),
        )
        return cls(effects, first)

    @property
    def names(self) -> tuple[str, ...]:
        """The effects, in the order of their columns."""
        return tuple(sorted(self.effects.keys))

    @property
    def width(self) -> int:
        """How many columns `at` returns."""
        return len(self.names) + (0 if self.first is None else len(AGES))

    def n_groups(self, name: str) -> int:
        """Return how many groups an effect has."""
        return len(self.effects.keys[name])

    def at(self, users: NDArray[np.integer], items: NDArray[np.integer], timestamps: I64 | None) -> I32:
        """Return each pair's group under each effect, then the ages of user and item in seconds.

        Shape (n, `width`). An age counts from the first training rating and is at least 0; what is not known
        is -1.
        """
        groups = self.effects.find(users, items, timestamps)
        columns = [groups[name] for name in self.names]
        if self.first is not None:
            columns += [_age(*pair, timestamps) for pair in zip(self.first, (users, items), strict=True)]
        return np.stack(columns, axis=1) if columns else np.zeros((len(users), 0), np.int32)

    def state(self) -> Arrays:
        """Return every array by name."""
        arrays = {f"effects.{name}": array for name, array in self.effects.state().items()}
        if self.first is not None:
            arrays["first_of_users"], arrays["first_of_items"] = self.first
        return arrays

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild from `state`'s arrays."""
        prefix = "effects."
        effects = {n.removeprefix(prefix): a for n, a in state.items() if n.startswith(prefix)}
        first = None
        if "first_of_users" in state:
            first = (state["first_of_users"].astype(np.int64), state["first_of_items"].astype(np.int64))
        return cls(RatingGroups.from_state(effects), first)


def _first(index: NDArray[np.integer], timestamps: I64, n: int) -> I64:
    """Return the earliest time of each; of one without ratings, the latest time there is."""
    first = np.full(n, timestamps.max(), np.int64)
    np.minimum.at(first, index, timestamps)
    return first


def _age(first: I64, index: NDArray[np.integer], timestamps: I64 | None) -> I32:
    if timestamps is None:
        return np.full(len(index), UNKNOWN_AGE, np.int32)
    age = np.clip(timestamps - first[np.maximum(index, 0)], 0, np.iinfo(np.int32).max)
    return np.where(index < 0, UNKNOWN_AGE, age).astype(np.int32)
