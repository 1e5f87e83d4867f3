"""How far a fit goes, from configurations alone: without torch, before anything is built."""

from __future__ import annotations

import math
from dataclasses import dataclass

from movielens_recsys.models.config import ModelConfig
from movielens_recsys.training.config import TrainingConfig

SAMPLED_EPOCHS = 50
"""As many times, evenly spaced, a sampled model is judged."""


@dataclass(frozen=True, slots=True)
class TrainingBudget:
    """A fit's epochs, at most, and how many without improvement end it; None: none do.

    A sampled model's epoch is ``sweeps_an_epoch`` sweeps, 0 for all others.
    """

    epochs: int
    patience: int | None
    sweeps_an_epoch: int = 0


def budget_for(model: ModelConfig, training: TrainingConfig) -> TrainingBudget:
    """Return the course of fitting ``model``; what is solved in closed form is told from its ``training``."""
    if model.uses_mcmc:
        sweeps_an_epoch = math.ceil(model.total_sweeps / SAMPLED_EPOCHS)
        return TrainingBudget(math.ceil(model.total_sweeps / sweeps_an_epoch), None, sweeps_an_epoch)
    return TrainingBudget(
        training.epochs, training.early_stopping.patience if training.early_stopping else None
    )
