"""What a training run tells the world, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class EpochMetrics:
    """The figures of one epoch.

    ``train_loss`` and ``val_loss`` are MSE + the planned kl_weight x KL, whatever schedules, floors or
    smoothing the minimised objective has; ``val_mse`` (stars squared) and ``val_rmse`` (stars) are of
    predictions clipped to the scale; ``val_kl`` is the KL averaged over latent units (0 for models without
    them). Loss and RMSE are different quantities: never compare them.

    ``gradient_norm`` is the mean L2 norm of the gradients of the epoch's steps before clipping;
    ``kl_weight`` what the objective had at the epoch's end; ``active_units`` the share of latent units
    whose posterior mean varies over the validation rows by more than 0.01 (Burda et al., 2016,
    https://arxiv.org/abs/1509.00519). They are None in logs from before they were measured, the last also
    without a latent. ``averaged`` says that averaged weights were judged.

    A sampled model has no epochs: one stands for a number of ``sweeps``, counted from the first of all
    chains. Its validation figures are of the mean over the draws past burn-in, before those of the present
    draw; its ``train_loss`` is the present draw's MSE on some of the training rows.
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
        """Return the record as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> EpochMetrics:
        """Rebuild a record from `to_json`'s output; keys that are no figure are passed over."""
        return cls(**{field.name: values[field.name] for field in fields(cls) if field.name in values})


@dataclass(frozen=True, slots=True)
class Convergence:
    """How far a sampled model's predictions have converged, judged on those of some validation rows.

    ``r_hat`` is the split R-hat, ``effective_draws`` of the ``draws`` past burn-in; both as
    `models.bayesian.convergence` defines them, the median and the worst of all ``predictions``.
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
    """What remains of a fit: the history, the chosen epoch and why training ended.

    ``best_epoch`` is None for models solved in closed form, whose history is empty. ``seconds`` counts the
    training of all attempts. ``convergence`` is there for sampled models whose split has validation rows.
    """

    history: tuple[EpochMetrics, ...]
    best_epoch: int | None
    stopped_because: str
    seconds: float
    convergence: Convergence | None = None

    @property
    def best(self) -> EpochMetrics | None:
        """The record of the epoch whose weights were kept."""
        return next((record for record in self.history if record.epoch == self.best_epoch), None)


class TrainingCallback:
    """Receives progress; a subclass overrides what it cares for. One that raises ends the run."""

    def on_step(self, epoch: int, step: int, steps: int) -> None:
        """Receive the position after each optimiser step: ``step`` of ``steps``, from 1."""

    def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
        """Receive one finished epoch; ``improved`` says whether its weights are now the best."""

    def on_checkpoint(self, epoch: int, step: int) -> None:
        """Receive the position that has just been saved: ``step`` steps into ``epoch``."""
