"""Training budget: the epochs and patience of a fit, from configurations alone and without torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

from movielens_recsys.models.config import ModelConfig
from movielens_recsys.training.config import TrainingConfig

MCMC_EPOCHS = 50
"""How often, evenly spaced, an MCMC model is evaluated while it samples."""


@dataclass(frozen=True, slots=True)
class TrainingBudget:
    """The largest number of epochs, and how many without improvement end the fit (None: never early).

    An MCMC model's epoch is ``sweeps_per_epoch`` sweeps, 0 for all others.
    """

    epochs: int
    patience: int | None
    sweeps_per_epoch: int = 0


def budget_for(model: ModelConfig, training: TrainingConfig) -> TrainingBudget:
    """Return the budget of fitting ``model``; for a closed-form model it is that of ``training``, unused."""
    if model.uses_mcmc:
        sweeps_per_epoch = math.ceil(model.total_sweeps / MCMC_EPOCHS)
        return TrainingBudget(math.ceil(model.total_sweeps / sweeps_per_epoch), None, sweeps_per_epoch)
    return TrainingBudget(
        training.epochs, training.early_stopping.patience if training.early_stopping else None
    )
