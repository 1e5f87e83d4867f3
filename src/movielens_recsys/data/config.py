"""Configurations of the data set and its split; without polars, so that they load fast."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args

from pydantic import Field, model_validator

from movielens_recsys.config import Config

Ratio = Annotated[float, Field(gt=0, lt=1)]
DEFAULT_NAME = "ml-100k"
PACKED_SUFFIXES = {".gz", ".bz2", ".xz", ".zip"}
"""Second endings, of compressed files."""


class DataConfig(Config):
    """Which ratings: the name of an official or registered data set, or the path of a file or folder.

    Attributes
    ----------
    name
        An official data set, or one that was imported under that name. Beside ``path``, what the ratings
        there are called; it follows from the path unless it is given.
    path
        A rating file or a folder in an official layout, in place of ``name``.
    """

    name: str = DEFAULT_NAME
    path: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_from_path(cls, values: Any) -> Any:
        if not isinstance(values, Mapping) or not isinstance(values.get("path"), str | Path):
            return values
        return {**values, "name": data_name(values.get("name", DEFAULT_NAME), values["path"])}

    def with_absolute_path(self) -> DataConfig:
        """Return the same data by a path that means the same from any working folder.

        Links stay as they are: what a link is moved to stays what the user meant.
        """
        if self.path is None:
            return self
        return self.model_copy(update={"path": self.path.expanduser().absolute()})


def data_name(name: str, path: str | Path | None) -> str:
    """Return what the configured ratings are called.

    Earlier versions kept the default name beside a path: it means there that no name was given.

    >>> data_name("ml-100k", "books/ratings.csv"), data_name("books", "books/ratings.csv")
    ('ratings', 'books')
    """
    return name_at(Path(path)) if path is not None and name == DEFAULT_NAME else name


def name_at(path: Path) -> str:
    """Return the name of the ratings at a path: a folder's own, or a file's without its endings."""
    if path.expanduser().is_dir():
        return path.expanduser().resolve().name
    return Path(path.stem).stem if path.suffix.lower() in PACKED_SUFFIXES else path.stem


class _Shares(Config):
    """A split by shares, which must leave some ratings to train on."""

    if TYPE_CHECKING:
        validation: float
        test: float

    @model_validator(mode="after")
    def _some_left_to_train_on(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation {self.validation:g} and test {self.test:g} leave nothing to train on; "
                "expected a sum below 1"
            )
        return self


class RandomSplit(_Shares):
    """Random rows: the first ``test`` share of a fixed permutation is the test part, the next validation."""

    protocol: Literal["random"] = "random"
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.1
    test: Ratio = 0.1
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


class KFoldSplit(Config):
    """Fold ``fold`` of ``folds`` is the test part; a ``validation`` share of the other rows validates.

    Fold 0 of ten is the test part of a random 90/10 split with the same seed, fold 1 the next tenth.
    """

    protocol: Literal["kfold"] = "kfold"
    folds: Annotated[int, Field(ge=2, le=1000)] = 10
    fold: Annotated[int, Field(ge=0)] = 0
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.05
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @model_validator(mode="after")
    def _fold_exists(self) -> Self:
        if self.fold >= self.folds:
            raise ValueError(
                f"there is no fold {self.fold} of {self.folds}; expected one from 0 to {self.folds - 1}"
            )
        return self


class OfficialSplit(Config):
    """ML-100K's base/test files; the validation part is a random ``validation`` share of the base rows."""

    protocol: Literal["official"] = "official"
    name: Literal["u1", "u2", "u3", "u4", "u5", "ua", "ub"] = "u1"
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.05
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


class UserTemporalSplit(_Shares):
    """Per user: the last ratings are the test part, those before validation, as shares of the user's."""

    protocol: Literal["user_temporal"] = "user_temporal"
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.1
    test: Ratio = 0.1


class LeaveLastSplit(Config):
    """Per user: the last ``k`` ratings are the test part, the ``k`` before it validation."""

    protocol: Literal["leave_last"] = "leave_last"
    k: Annotated[int, Field(ge=1, le=1000)] = 1


class GlobalTemporalSplit(_Shares):
    """One cut in time for all users, as for a deployed model: the last ``test`` share of all ratings."""

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
PROTOCOLS = tuple(kind.model_fields["protocol"].default for kind in get_args(AnySplitConfig))
