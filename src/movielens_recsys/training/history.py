"""History of a training: metrics of each epoch, the result, and callbacks; without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class EpochMetrics:
    """The metrics of one epoch.

    ``train_loss`` and ``val_loss`` are MSE + the planned kl_weight x KL, whatever schedules, free bits
    or smoothing the minimised objective has, both in squared stars (`Scale.star`), in which networks work;
    ``val_mse`` and ``val_rmse`` are in ratings, of predictions clipped to the scale; ``val_kl`` is the KL
    averaged over latent units (0 for models without them). Loss and RMSE are different quantities: never
    compare them.

    ``gradient_norm`` is the mean L2 norm of the gradients of the epoch's steps before clipping;
    ``kl_weight`` the objective's at the epoch's end; ``active_units`` the fraction of latent units
    whose posterior mean varies over the validation rows by more than 0.01 (Burda et al., 2016,
    https://arxiv.org/abs/1509.00519). They are None in older logs, the last also for models
    without a latent. ``averaged`` says that averaged weights were evaluated.

    For an MCMC model an epoch is a number of sweeps; ``sweeps`` counts them from the first one of all
    chains. Its validation metrics are those of the mean prediction over posterior samples past burn-in, and
    of the present sample before that; its ``train_loss`` is the present sample's MSE on some training rows.
    """

    epoch: int
    train_loss: float
    val_loss: float
    val_mse: float
    val_rmse: float
    val_kl: float
    learning_rate: float
    samples_per_s: float
    gradient_norm: float | None = None
    kl_weight: float | None = None
    active_units: float | None = None
    averaged: bool = False
    sweeps: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the metrics as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> EpochMetrics:
        """Rebuild the metrics from `to_json`'s output; other keys are ignored."""
        return cls(**{field.name: values[field.name] for field in fields(cls) if field.name in values})


@dataclass(frozen=True, slots=True)
class Convergence:
    """Convergence of an MCMC model, measured on the predictions of some validation rows.

    ``r_hat`` is the split R-hat, ``effective_draws`` the effective size of the ``draws`` (posterior samples
    past burn-in), both as `models.bayesian.convergence` defines them: the median and the worst of all
    ``predictions``.
    """

    predictions: int
    draws: int
    r_hat_median: float
    r_hat_worst: float
    effective_draws_median: float
    effective_draws_worst: float

    def __str__(self) -> str:
        return (
            f"split R-hat of {self.predictions} predictions {self.r_hat_median:.3f} in the median, "
            f"{self.r_hat_worst:.3f} at worst; {self.draws} draws worth {self.effective_draws_median:.0f} "
            f"independent ones, {self.effective_draws_worst:.0f} at worst"
        )


@dataclass(frozen=True, slots=True)
class FitResult:
    """The result of a fit: the history, the chosen epoch and the reason why training ended.

    ``best_epoch`` is None for models solved in closed form, whose history is empty. ``seconds`` counts the
    training of all attempts. ``convergence`` exists for MCMC models whose split has validation rows.
    """

    history: tuple[EpochMetrics, ...]
    best_epoch: int | None
    stopped_because: str
    seconds: float
    convergence: Convergence | None = None

    @property
    def best(self) -> EpochMetrics | None:
        """The metrics of the epoch whose weights were kept."""
        return next((record for record in self.history if record.epoch == self.best_epoch), None)


class TrainingCallback:
    """Receives progress; a subclass overrides the methods it needs. An exception ends the run."""

    def on_step(self, epoch: int, step: int, steps: int) -> None:
        """Receive the position after each optimiser step: ``step`` of ``steps``, from 1."""

    def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
        """Receive one finished epoch; ``improved`` says whether its weights are now the best."""

    def on_checkpoint(self, epoch: int, step: int) -> None:
        """Receive the position of a checkpoint just written: ``step`` steps into ``epoch``."""
