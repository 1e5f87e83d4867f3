"""Which ratings, and which of their rows train, choose and judge; apart from polars so that it loads fast."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from movielens_recsys.config import Config

Ratio = Annotated[float, Field(gt=0, lt=1)]


class DataConfig(Config):
    """Which ratings: a name of the catalogue, or a file or folder of one's own."""

    name: str = "ml-100k"
    path: Path | None = None


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
AnySplitConfig = (
    RandomSplit | KFoldSplit | OfficialSplit | UserTemporalSplit | LeaveLastSplit | GlobalTemporalSplit
)
