"""Where the ratings of a configuration are on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from movielens_recsys.data.config import DataConfig
from movielens_recsys.data.datasets import DATASETS
from movielens_recsys.data.sources.fetch import find_folder
from movielens_recsys.data.sources.user_datasets import find_user_dataset
from movielens_recsys.settings import Settings


def locate_data(data: DataConfig, settings: Settings) -> Path | None:
    """Return the file or folder that the ratings are read from; None if it cannot be reached now."""
    if data.path is not None:
        return _if_there(data.path.expanduser())
    if data.name in DATASETS:
        return find_folder(data.name, settings)
    imported = find_user_dataset(data.name, settings)
    return _if_there(imported[0]) if imported else None


def can_be_reached(data: DataConfig, settings: Settings) -> bool:
    """Whether the ratings are here, or can be fetched."""
    return (data.path is None and data.name in DATASETS) or locate_data(data, settings) is not None


def _if_there(path: Path) -> Path | None:
    # Not Path.exists, which raises where a mounted disk does not answer.
    return path.absolute() if os.path.exists(path) else None  # noqa: PTH110
