"""Groups of ratings that share an effect, by user, item and timestamp.

| effect | ratings of one group |
| --- | --- |
| user_day | one user's on one day (UTC) |
| day | all users' on one day |
| item_month | one item's within 30 days |
| session_N | N consecutive ones of one user |
| user_genres | one user's of items with exactly the same set of genres |

All but the last need timestamps. `models.bayesian` has a random effect for each group, `models.two_tower` a
shrunken mean residual. A rating whose group has no training rating, or whose timestamp is unknown, is in no
group (-1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import I32, I64, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import Arrays, strip_prefix

DAY_S = 86_400
DAYS_PER_MONTH = 30
_TIME_BITS = 36
_NO_GROUP = -1


@dataclass(frozen=True, eq=False)
class RatingTimeline:
    """The training ratings of each owner, a user or an item, in the order of their timestamps.

    Attributes
    ----------
    first_timestamp
        Of all training ratings, in seconds since 1970 (UTC).
    packed_times
        Owner x 2^36 + seconds since ``first_timestamp`` of every training rating, ascending.
    starts
        Where each owner's ratings begin in ``packed_times``, shape (n_owners + 1,).
    """

    first_timestamp: int
    packed_times: I64
    starts: I64

    @classmethod
    def of(cls, owners: IntArray, timestamps: I64, n_owners: int) -> Self:
        """Sort training ratings given in any order."""
        first = int(timestamps.min())
        # Owner and time in one integer: one flat sorted array answers "how many ratings has this owner
        # before this time" for all owners with a single binary search. 36 bits hold 2,177 years.
        packed_times = np.sort(owners.astype(np.int64) << _TIME_BITS | (timestamps - first))
        starts = np.searchsorted(packed_times, np.arange(n_owners + 1, dtype=np.int64) << _TIME_BITS)
        return cls(first, packed_times, starts.astype(np.int64))

    def days(self, timestamps: I64) -> I64:
        """Return days since 1970 (UTC)."""
        days: I64 = timestamps // DAY_S
        return days

    def months(self, timestamps: I64) -> I64:
        """Return periods of 30 days since the first training day; negative before it."""
        months: I64 = (timestamps // DAY_S - self.first_timestamp // DAY_S) // DAYS_PER_MONTH
        return months

    def positions(self, owners: IntArray, timestamps: I64) -> I64:
        """Return how many of the owner's training ratings are earlier, plus half of those at the same second.

        An unknown owner (-1) gets the position that owner 0 would have.
        """
        since = np.clip(timestamps - self.first_timestamp, 0, (1 << _TIME_BITS) - 1)
        wanted = np.maximum(owners.astype(np.int64), 0) << _TIME_BITS | since
        before = np.searchsorted(self.packed_times, wanted, "left")
        until = np.searchsorted(self.packed_times, wanted, "right")
        # The middle of a tie: ratings are often entered several at a time with one timestamp, and a held-out
        # one of them belongs in the middle of the session that they make, not at its edge.
        positions: I64 = (before + until) // 2 - self.starts[np.maximum(owners, 0)]
        return positions


@dataclass(frozen=True, eq=False)
class RatingGroups:
    """The groups of each effect among training ratings, and the lookup of new ratings' groups.

    Attributes
    ----------
    keys
        The distinct keys of each effect's groups, ascending, shape (n_groups,): a group's index is the
        position of its key.
    timeline
        Of the users; None without timestamps, or where no effect needs them.
    genre_codes
        A code for each item's exact set of genres, shape (n_items,); None where they are not used.
    """

    keys: Mapping[str, I64]
    timeline: RatingTimeline | None
    genre_codes: I32 | None

    @classmethod
    def of(
        cls,
        train: Ratings,
        *,
        time_effects: bool,
        sessions: Sequence[int],
        side_information: bool,
    ) -> tuple[Self, dict[str, I32]]:
        """Index the groups of training ratings; return each rating's group under each effect too.

        Parameters
        ----------
        train
            Sorted by user and timestamp.
        time_effects
            Whether there are the effects user_day, day and item_month.
        sessions
            The numbers of ratings in a session, one effect for each.
        side_information
            Whether there is the effect user_genres.
        """
        timeline = None
        if train.timestamps is not None and (time_effects or sessions):
            timeline = RatingTimeline.of(train.users, train.timestamps, train.n_users)
        genre_codes = _genre_codes(train) if side_information else None
        names = [] if timeline is None else _effects_by_time(time_effects, sessions)
        if genre_codes is not None:
            names.append("user_genres")
        without_keys = cls({name: np.zeros(0, np.int64) for name in names}, timeline, genre_codes)
        keys, groups = {}, {}
        positions = None
        if timeline is not None:
            # Counted, not `timeline.positions`: ratings at the same second would share one position there,
            # and one session would hold all of them.
            positions = np.arange(len(train)) - timeline.starts[train.users]
        for name in names:
            key_of_ratings = without_keys.key(name, train.users, train.items, train.timestamps, positions)
            keys[name], groups[name] = _index_keys(key_of_ratings)
        return cls(keys, timeline, genre_codes), groups

    def key(
        self,
        name: str,
        users: IntArray,
        items: IntArray,
        timestamps: I64 | None,
        positions: I64 | None,
    ) -> I64:
        """Return the key of each rating's group under the effect ``name``, shape (n,).

        ``positions`` are those of the ratings among their user's, see `RatingTimeline.positions`.
        """
        # Two 32-bit halves in one integer, so that groups are found by sorting and searching flat arrays.
        user_half = users.astype(np.int64) << 32
        if name == "user_genres":
            assert self.genre_codes is not None
            by_genres: I64 = user_half | self.genre_codes[items]
            return by_genres
        assert self.timeline is not None
        assert timestamps is not None
        assert positions is not None
        if name == "user_day":
            return user_half | self.timeline.days(timestamps)
        if name == "day":
            return self.timeline.days(timestamps)
        if name == "item_month":
            # A sum, because months before the training ratings are negative: `|` would set the upper half.
            return (items.astype(np.int64) << 32) + self.timeline.months(timestamps)
        session: I64 = user_half | positions // int(name.removeprefix("session_"))
        return session

    def find(self, users: IntArray, items: IntArray, timestamps: I64 | None) -> dict[str, I32]:
        """Return each rating's group under each effect, int32 of shape (n,); -1 where training has none."""
        positions = None
        if self.timeline is not None and timestamps is not None:
            positions = self.timeline.positions(users, timestamps)
        found = {}
        for name, keys in sorted(self.keys.items()):
            if (name != "user_genres" and positions is None) or not len(keys):
                found[name] = np.full(len(users), _NO_GROUP, np.int32)
                continue
            wanted = self.key(name, users, items, timestamps, positions)
            group = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            known = (keys[group] == wanted) & (users >= 0) & (items >= 0)
            found[name] = np.where(known, group, _NO_GROUP).astype(np.int32)
        return found

    def state(self) -> Arrays:
        """Return every array under its name in a bundle."""
        arrays: Arrays = {f"keys.{name}": keys for name, keys in self.keys.items()}
        if self.timeline is not None:
            arrays["first"] = np.array([self.timeline.first_timestamp])
            arrays["moments"], arrays["starts"] = self.timeline.packed_times, self.timeline.starts
        if self.genre_codes is not None:
            arrays["genres"] = self.genre_codes
        return arrays

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild from `state`'s arrays."""
        keys = {name: array.astype(np.int64) for name, array in strip_prefix("keys.", state).items()}
        timeline = None
        if "moments" in state:
            packed_times, starts = state["moments"].astype(np.int64), state["starts"].astype(np.int64)
            timeline = RatingTimeline(int(state["first"][0]), packed_times, starts)
        genre_codes = state["genres"].astype(np.int32) if "genres" in state else None
        return cls(keys, timeline, genre_codes)


def _index_keys(keys: I64) -> tuple[I64, I32]:
    """Return the distinct keys, ascending, and the position of each rating's key among them."""
    steps = np.diff(keys)
    if (steps < 0).any():
        distinct, positions = np.unique(keys, return_inverse=True)
        return distinct, positions.astype(np.int32)
    # In order already, as days and sessions of users are: one pass in place of a sort.
    is_first = np.r_[True, steps > 0]
    return keys[is_first], np.cumsum(is_first, dtype=np.int32) - np.int32(1)


def _effects_by_time(time_effects: bool, sessions: Sequence[int]) -> list[str]:
    by_time = ["user_day", "day", "item_month"] if time_effects else []
    return by_time + [f"session_{length}" for length in sessions]


def _genre_codes(ratings: Ratings) -> I32 | None:
    table = ratings.item_table
    if table is None or "genres" not in table.columns:
        return None
    genres_of_items = table["genres"].fill_null([]).to_list()
    joined = ["|".join(genres) for genres in genres_of_items]
    return np.unique(joined, return_inverse=True)[1].astype(np.int32)
