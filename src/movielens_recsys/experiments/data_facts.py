"""What is known of an experiment's data before it runs: from the catalogue, or from the rows themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from movielens_recsys.data.config import DataConfig
from movielens_recsys.data.datasets import DATASETS, DatasetInfo
from movielens_recsys.data.load import layout_at, load_configured
from movielens_recsys.data.scale import Scale
from movielens_recsys.data.sources.fetch import find_folder
from movielens_recsys.data.sources.user_datasets import check_data, find_user_dataset
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.settings import Settings

QUICK_BYTES = 64 * 2**20
"""A rating file up to this size is read when an experiment is created; larger ones take too long."""


@dataclass(frozen=True, eq=False, slots=True)
class DataFacts:
    """Name, scale and counts of a data set, whether it is implicit, and its split if the rows are here.

    Counts of the catalogue are those of the edition that it names.
    """

    name: str
    scale: Scale
    n_ratings: int
    n_users: int
    n_items: int
    implicit: bool = False
    split: Split | None = None

    @classmethod
    def of_split(cls, split: Split) -> Self:
        """Return all that the rows say."""
        ratings = split.ratings
        return cls(
            ratings.name,
            ratings.scale,
            len(ratings),
            ratings.n_users,
            ratings.n_items,
            ratings.implicit,
            split,
        )

    @classmethod
    def of_catalogue(cls, info: DatasetInfo) -> Self:
        """Return what is known of an official data set without a file."""
        return cls(info.name, info.scale, info.n_ratings, info.n_users, info.n_items)


def known_facts(config: ExperimentConfig, settings: Settings) -> DataFacts | None:
    """Return what can be known of the data within seconds and without a download; None if nothing can.

    Raises
    ------
    UnknownNameError
        No official and no registered data set has the name.
    DataError
        The data are here, and cannot be read or cannot be split as configured.
    """
    check_data(config.data, settings)
    file = _rating_file(config.data, settings)
    if file is not None and file.stat().st_size <= QUICK_BYTES:
        ratings = load_configured(config.data, settings, fetch=False)
        return DataFacts.of_split(make_split(ratings, config.split))
    info = DATASETS.get(config.data.name) if config.data.path is None else None
    return None if info is None else DataFacts.of_catalogue(info)


def _rating_file(data: DataConfig, settings: Settings) -> Path | None:
    """Return the file that holds the ratings; None if it is not on this machine."""
    if data.path is not None:
        path: Path | None = data.path.expanduser()
    elif data.name in DATASETS:
        path = find_folder(data.name, settings)
    else:
        registered = find_user_dataset(data.name, settings)
        path = registered[0] if registered else None
    return layout_at(path).ratings if path is not None and path.exists() else None
