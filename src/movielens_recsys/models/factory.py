"""Models by their configurations: built from training rows, or restored from their state."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.errors import ModelError
from movielens_recsys.models.base import DataSpec, Model
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.table import MODELS, entry_of


def build_model(config: ModelConfig, train: Ratings, seed: int = 0) -> Model:
    """Fit a model to ``train``; a network is only initialised, `training.fit` trains it.

    The same seed gives the same weights, and torch's global stream is left where it was.
    """
    return entry_of(config.name).model_class().fit(config, train, seed)


def check_learnable(config: ModelConfig, train: Ratings) -> None:
    """Refuse to fit a model of ratings to interactions without ratings.

    Raises
    ------
    ModelError
        Naming the models that learn from interactions.
    """
    if train.implicit and not config.learns_from_interactions:
        fitting = sorted(
            name for name, entry in MODELS.items() if entry.config_class().learns_from_interactions
        )
        raise ModelError(
            f"{config.name} learns from ratings, and {train.name} holds interactions without ratings",
            expected=f"a model that learns from interactions: {', '.join(fitting)}",
            next_step="create an experiment from a template of such a model: recsys experiment templates",
        )


def restore_model(config: ModelConfig, domain: DataSpec, state: Mapping[str, NDArray[np.generic]]) -> Model:
    """Rebuild the model whose `Model.state` is ``state``."""
    return entry_of(config.name).model_class().from_state(config, domain, state)
