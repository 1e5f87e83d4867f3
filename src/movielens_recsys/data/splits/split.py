"""`Split`: the training, validation and test rows of one `Ratings`, with the protocol that made them."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.data.config import (
    AnySplitConfig,
    GlobalTemporalSplit,
    KFoldSplit,
    LeaveLastSplit,
    OfficialSplit,
    RandomSplit,
    UserTemporalSplit,
)
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.splits.strategies import (
    global_temporal_rows,
    kfold_rows,
    leave_last_rows,
    official_rows,
    random_rows,
    user_temporal_rows,
)
from movielens_recsys.errors import SplitError

Part = Literal["train", "validation", "test"]
HeldOutPart = Literal["validation", "test"]


@dataclass(frozen=True, eq=False)
class Split:
    """Disjoint row numbers over one `Ratings`, ascending in each part, with the protocol that made them."""

    ratings: Ratings
    config: AnySplitConfig
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    def __repr__(self) -> str:
        parts = ", ".join(f"{len(self.rows(part)):,} {part}" for part in get_args(Part))
        return f"Split({split_name(self.config)} of {self.ratings.name!r}: {parts})"

    def rows(self, part: Part) -> NDArray[np.int64]:
        """Return the row numbers of ``part``."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[part]

    def part(self, part: Part) -> Ratings:
        """Return the ratings of ``part`` alone; nothing else can be read from them."""
        return self.ratings.take(self.rows(part))

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the row numbers of the three parts."""
        digest = hashlib.sha256()
        for rows in (self.train, self.validation, self.test):
            digest.update(len(rows).to_bytes(8, "little"))
            digest.update(rows.astype("<i8").tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class PartSummary:
    """Size of one part of a split; a cold user or item has no training rating."""

    ratings: int
    users: int
    items: int
    cold_users: int
    cold_items: int
    cold_ratings: int
    """Ratings by a cold user or of a cold item, which models predict by their fallback."""


@dataclass(frozen=True, slots=True)
class SplitSummary:
    """Sizes of the three parts of a split."""

    protocol: str
    train: PartSummary
    validation: PartSummary
    test: PartSummary

    def to_json(self) -> dict[str, Any]:
        """Return the summary as plain JSON values."""
        return asdict(self)


def make_split(
    ratings: Ratings,
    config: AnySplitConfig = RandomSplit(),  # noqa: B008 (frozen)
) -> Split:
    """Divide the rows of ``ratings`` as ``config`` says; the same on every machine.

    Every row outside the test and validation parts is a training row, so the parts are disjoint and cover
    all rows. Cold users and items stay in the held-out parts: `split_summary` counts them, and the
    recommender predicts them by its fallback.

    Raises
    ------
    SplitError
        If the protocol does not fit these ratings (no times, no such official split), or
        leaves nothing to train on or nothing to test on.
    """
    if not len(ratings):
        raise SplitError(f"{ratings.name} has no ratings to split", next_step="bring ratings")
    test, validation = _held_out(ratings, config)
    label = np.zeros(len(ratings), dtype=np.uint8)
    label[validation] = 1
    label[test] = 2
    train, validation, test = (np.flatnonzero(label == part) for part in range(3))
    for name, rows in (("train", train), ("test", test)):
        if not len(rows):
            raise SplitError(
                f"{split_name(config)} leaves the {name} part of {len(ratings)} ratings empty",
                expected="at least one rating in it",
                next_step="set other shares of split, or another split.protocol, or bring more ratings",
            )
    return Split(ratings, config, train, validation, test)


def split_summary(split: Split) -> SplitSummary:
    """Count ratings, users and items of each part, and the cold ones among them."""
    ratings = split.ratings
    known_users = _present(ratings.users[split.train], ratings.n_users)
    known_items = _present(ratings.items[split.train], ratings.n_items)

    def summarise(part: Part) -> PartSummary:
        users, items = ratings.users[split.rows(part)], ratings.items[split.rows(part)]
        present_users, present_items = _present(users, ratings.n_users), _present(items, ratings.n_items)
        return PartSummary(
            ratings=len(users),
            users=int(present_users.sum()),
            items=int(present_items.sum()),
            cold_users=int((present_users & ~known_users).sum()),
            cold_items=int((present_items & ~known_items).sum()),
            cold_ratings=int((~(known_users[users] & known_items[items])).sum()),
        )

    return SplitSummary(
        split_name(split.config), summarise("train"), summarise("validation"), summarise("test")
    )


def split_name(config: AnySplitConfig) -> str:
    """Return the label of a split for tables and pages, e.g. ``random 80/10/10, seed 0``."""
    match config:
        case RandomSplit():
            return f"random {_percentages(config)}, seed {config.seed}"
        case KFoldSplit():
            return f"fold {config.fold} of {config.folds}, seed {config.seed}"
        case OfficialSplit():
            return f"official {config.name}"
        case UserTemporalSplit():
            return f"user temporal {_percentages(config)}"
        case LeaveLastSplit():
            return f"leave last {config.k} per user"
        case GlobalTemporalSplit():
            return f"global temporal {_percentages(config)}"


def _present(indices: NDArray[np.int32], n: int) -> NDArray[np.bool_]:
    present = np.zeros(n, dtype=bool)
    present[indices] = True
    return present


def _percentages(config: RandomSplit | UserTemporalSplit | GlobalTemporalSplit) -> str:
    shares = (1 - config.validation - config.test, config.validation, config.test)
    return "/".join(f"{100 * share:.3g}" for share in shares)


def _held_out(ratings: Ratings, config: AnySplitConfig) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    match config:
        case RandomSplit():
            return random_rows(ratings, config)
        case KFoldSplit():
            return kfold_rows(ratings, config)
        case OfficialSplit():
            return official_rows(ratings, config)
        case UserTemporalSplit():
            return user_temporal_rows(ratings, config)
        case LeaveLastSplit():
            return leave_last_rows(ratings, config)
        case GlobalTemporalSplit():
            return global_temporal_rows(ratings, config)
