"""Random effects: groups of ratings that share a shift, by user, item and moment.

| effect | ratings that share it |
| --- | --- |
| user_day | of one user on one day |
| day | of one day |
| item_month | of one item within 30 days |
| session_N | N in a row of one user |
| user_genres | by one user, of items with exactly the same genres |

All but the last need the time of a rating. A rating whose group has no training rating, or whose time is not
known, has that effect's prior: mean 0 and its variance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import I32, I64
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import Arrays
from movielens_recsys.models.bayesian.config import BayesianMFConfig

DAY_S = 86_400
DAYS_A_MONTH = 30
_TIME_BITS = 36
_NO_GROUP = -1


@dataclass(frozen=True, eq=False)
class RatingTimeline:
    """When each user rated: a rating's day, and its place in its user's order.

    Attributes
    ----------
    first
        The first training rating, in seconds since 1970.
    moments
        User x 2^36 + seconds since ``first`` of every training rating, ascending.
    starts
        Where each user's moments begin, shape (n_users + 1,).
    """

    first: int
    moments: I64
    starts: I64

    @classmethod
    def of(cls, users: NDArray[np.integer], timestamps: I64, n_users: int) -> Self:
        """Take the moments of training ratings, in any order."""
        first = int(timestamps.min())
        moments = np.sort(users.astype(np.int64) << _TIME_BITS | (timestamps - first))
        starts = np.searchsorted(moments, np.arange(n_users + 1, dtype=np.int64) << _TIME_BITS)
        return cls(first, moments, starts.astype(np.int64))

    def days(self, timestamps: I64) -> I64:
        """Return days since 1970 (UTC)."""
        days: I64 = timestamps // DAY_S
        return days

    def months(self, timestamps: I64) -> I64:
        """Return stretches of 30 days since the first training day."""
        months: I64 = (timestamps // DAY_S - self.first // DAY_S) // DAYS_A_MONTH
        return months

    def places(self, users: NDArray[np.integer], timestamps: I64) -> I64:
        """Return how many of the user's training ratings came before; of those at that second, half count."""
        since = np.clip(timestamps - self.first, 0, (1 << _TIME_BITS) - 1)
        moments = np.maximum(users.astype(np.int64), 0) << _TIME_BITS | since
        before = np.searchsorted(self.moments, moments, "left")
        until = np.searchsorted(self.moments, moments, "right")
        places: I64 = (before + until) // 2 - self.starts[np.maximum(users, 0)]
        return places


@dataclass(frozen=True, eq=False)
class Effects:
    """The groups of each effect by their keys, ascending, and what finds the groups of new ratings."""

    keys: Mapping[str, I64]
    clock: RatingTimeline | None
    genres: I32 | None

    @classmethod
    def of(cls, config: BayesianMFConfig, train: Ratings) -> tuple[Self, dict[str, I32]]:
        """Number the groups of training ratings sorted by user and time; return each rating's group too."""
        clock = None
        if train.timestamps is not None and (config.time_effects or config.sessions):
            clock = RatingTimeline.of(train.users, train.timestamps, train.n_users)
        genres = _genre_codes(train) if config.side_information else None
        names = [] if clock is None else _timed(config)
        if genres is not None:
            names.append("user_genres")
        unnumbered = cls({name: np.zeros(0, np.int64) for name in names}, clock, genres)
        keys, groups = {}, {}
        places = None
        if clock is not None:
            places = np.arange(len(train)) - clock.starts[train.users]
        for name in names:
            of_rows = unnumbered.key(name, train.users, train.items, train.timestamps, places)
            keys[name], groups[name] = _numbered(of_rows)
        return cls(keys, clock, genres), groups

    def key(
        self,
        name: str,
        users: NDArray[np.integer],
        items: NDArray[np.integer],
        timestamps: I64 | None,
        places: I64 | None,
    ) -> I64:
        """Return what names each rating's group under the effect ``name``."""
        owner = users.astype(np.int64) << 32
        if name == "user_genres":
            assert self.genres is not None
            by_genres: I64 = owner | self.genres[items]
            return by_genres
        assert self.clock is not None
        assert timestamps is not None
        assert places is not None
        if name == "user_day":
            return owner | self.clock.days(timestamps)
        if name == "day":
            return self.clock.days(timestamps)
        if name == "item_month":
            return (items.astype(np.int64) << 32) + self.clock.months(timestamps)
        session: I64 = owner | places // int(name.removeprefix("session_"))
        return session

    def groups(
        self, users: NDArray[np.integer], items: NDArray[np.integer], timestamps: I64 | None
    ) -> dict[str, I32]:
        """Return each rating's group under each effect, -1 where training has none for it."""
        places = None
        if self.clock is not None and timestamps is not None:
            places = self.clock.places(users, timestamps)
        found = {}
        for name, keys in sorted(self.keys.items()):
            if (name != "user_genres" and places is None) or not len(keys):
                found[name] = np.full(len(users), _NO_GROUP, np.int32)
                continue
            wanted = self.key(name, users, items, timestamps, places)
            group = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            known = (keys[group] == wanted) & (users >= 0) & (items >= 0)
            found[name] = np.where(known, group, _NO_GROUP).astype(np.int32)
        return found

    def state(self) -> Arrays:
        """Return every array by name."""
        arrays: Arrays = {f"keys.{name}": keys for name, keys in self.keys.items()}
        if self.clock is not None:
            arrays["first"] = np.array([self.clock.first])
            arrays["moments"], arrays["starts"] = self.clock.moments, self.clock.starts
        if self.genres is not None:
            arrays["genres"] = self.genres
        return arrays

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild from `state`'s arrays."""
        prefix = "keys."
        keys = {n.removeprefix(prefix): a.astype(np.int64) for n, a in state.items() if n.startswith(prefix)}
        clock = None
        if "moments" in state:
            moments, starts = state["moments"].astype(np.int64), state["starts"].astype(np.int64)
            clock = RatingTimeline(int(state["first"][0]), moments, starts)
        genres = state["genres"].astype(np.int32) if "genres" in state else None
        return cls(keys, clock, genres)


def _numbered(keys: I64) -> tuple[I64, I32]:
    """Return distinct keys, ascending, and each row's place among them; quick where rows are in order."""
    steps = np.diff(keys)
    if (steps < 0).any():
        distinct, places = np.unique(keys, return_inverse=True)
        return distinct, places.astype(np.int32)
    first = np.r_[True, steps > 0]
    return keys[first], np.cumsum(first, dtype=np.int32) - np.int32(1)


def _timed(config: BayesianMFConfig) -> list[str]:
    by_time = ["user_day", "day", "item_month"] if config.time_effects else []
    return by_time + [f"session_{length}" for length in config.sessions]


def _genre_codes(ratings: Ratings) -> I32 | None:
    table = ratings.item_table
    if table is None or "genres" not in table.columns:
        return None
    lists = table["genres"].fill_null([]).to_list()
    return np.unique(["|".join(genres) for genres in lists], return_inverse=True)[1].astype(np.int32)
