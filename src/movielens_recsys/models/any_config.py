"""The configuration of any model, as a type: which class it is of follows from its ``name``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.table import union_of

if TYPE_CHECKING:
    AnyModelConfig = ModelConfig
    AnyFittedConfig = ModelConfig
else:
    AnyModelConfig = union_of("rating", "ranking", "blend", "composite")
    """What an experiment may fit."""
    AnyFittedConfig = union_of("rating", "ranking", "blend", "composite", "ensemble")
    """What a bundle may hold: any model, or an ensemble of them."""
