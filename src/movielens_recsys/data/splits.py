"""`Split`: which rows train, which choose, which judge; and the protocols that say so."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from movielens_recsys.config import Config
from movielens_recsys.data.ratings import Ratings

Part = Literal["train", "validation", "test"]
Ratio = Annotated[float, Field(gt=0, lt=1)]


class RandomSplit(Config):
    """Rows at random: the first ``test`` share of a frozen permutation tests, the next validates."""

    protocol: Literal["random"] = "random"
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.1
    test: Ratio = 0.1
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


class KFoldSplit(Config):
    """Fold ``fold`` of ``folds`` tests; ``validation`` is the share of the other rows that validates.

    Fold 0 of ten is the test part of a random 90/10 split with the same seed, fold 1 the next tenth.
    """

    protocol: Literal["kfold"] = "kfold"
    folds: Annotated[int, Field(ge=2, le=1000)] = 10
    fold: Annotated[int, Field(ge=0)] = 0
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.05
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


class OfficialSplit(Config):
    """ML-100K's own base/test files; ``validation`` is a random share of the base rows."""

    protocol: Literal["official"] = "official"
    name: Literal["u1", "u2", "u3", "u4", "u5", "ua", "ub"] = "u1"
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.05
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


class UserTemporalSplit(Config):
    """Each user's last ratings test, the ones before validate, by share of that user's ratings."""

    protocol: Literal["user_temporal"] = "user_temporal"
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.1
    test: Ratio = 0.1


class LeaveLastSplit(Config):
    """Each user's last ``k`` ratings test, the ``k`` before validate; users with too few only train."""

    protocol: Literal["leave_last"] = "leave_last"
    k: Annotated[int, Field(ge=1, le=1000)] = 1


class GlobalTemporalSplit(Config):
    """One cut in time for everyone: the last ``test`` share of all ratings tests. What a service faces."""

    protocol: Literal["global_temporal"] = "global_temporal"
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.1
    test: Ratio = 0.1


SplitConfig = Annotated[
    RandomSplit | KFoldSplit | OfficialSplit | UserTemporalSplit | LeaveLastSplit | GlobalTemporalSplit,
    Field(discriminator="protocol"),
]


@dataclass(frozen=True, eq=False)
class Split:
    """Disjoint row numbers over one `Ratings`, ascending within each part, with the protocol that made them."""

    ratings: Ratings
    config: (
        RandomSplit | KFoldSplit | OfficialSplit | UserTemporalSplit | LeaveLastSplit | GlobalTemporalSplit
    )
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    def rows(self, part: Part) -> NDArray[np.int64]:
        """Return the row numbers of ``part``."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[part]

    def part(self, part: Part) -> Ratings:
        """Return the ratings of ``part`` alone; what is not in it cannot be read from it."""
        return self.ratings.take(self.rows(part))

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the row numbers of the three parts."""
        digest = hashlib.sha256()
        for rows in (self.train, self.validation, self.test):
            digest.update(len(rows).to_bytes(8, "little"))
            digest.update(np.ascontiguousarray(rows.astype("<i8")))
        return digest.hexdigest()
