"""Models by their configurations: built from training rows, or restored from their state."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import DataSpec, Model
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.table import entry_of


def build_model(config: ModelConfig, train: Ratings, seed: int = 0) -> Model:
    """Fit a model to ``train``; a network is only initialised, `training.fit` trains it.

    The same seed gives the same weights, and torch's global stream is left where it was.
    """
    return entry_of(config.name).model_class().fit(config, train, seed)


def restore_model(config: ModelConfig, domain: DataSpec, state: Mapping[str, NDArray[np.generic]]) -> Model:
    """Rebuild the model whose `Model.state` is ``state``."""
    return entry_of(config.name).model_class().from_state(config, domain, state)
