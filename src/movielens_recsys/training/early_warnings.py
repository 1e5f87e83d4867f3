"""Early warnings: trouble that the metrics of a training show before its end, without torch.

Each of `DETECTORS` checks the metric history up to its last epoch; `memory` and `checkpoint_age` check one
measurement and are called within an epoch too. None changes a run. A loss that is not finite needs no
detector: it ends the run with an error.

`benchmarks/early_warnings.py` measures how often each is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Annotated

from pydantic import Field

from movielens_recsys.config import Config
from movielens_recsys.schema import Finding, Severity
from movielens_recsys.training.history import EpochMetrics

Epochs = Annotated[int, Field(ge=1, le=100_000)]
Positive = Annotated[float, Field(gt=0)]


class WarningThresholds(Config):
    """Thresholds of the early warnings; none of them changes a metric.

    The plateau's epoch 20, the gap of 0.15, the gradient norm of 10 and the fall of throughput by half are
    requirements of the project; the others separate recorded good runs from recorded bad ones.

    Attributes
    ----------
    convergence_epochs, convergence_improvement
        From that epoch on, a ``train_loss`` that was never that fraction below the first epoch's.
    plateau_before_epoch, plateau_epochs, plateau_improvement
        Before that epoch, that many epochs in a row without an improvement of ``val_rmse`` by that much (in
        stars).
    collapsed_kl, collapse_epochs
        That many epochs in a row with ``val_kl`` (nats per latent dimension) below it. A network starts
        near the prior and leaves it within its first epochs, so fewer would be a false alarm.
    loss_gap
        ``val_loss`` - ``train_loss`` above it.
    gradient_norm
        The epoch's mean norm before clipping above it.
    loss_spike
        ``train_loss`` above that multiple of the median of the five epochs before.
    throughput_share
        Two epochs in a row below that fraction of the median of all before them.
    memory_share
        More than that fraction of the device's memory in use.
    checkpoint_age_s
        More than that many seconds since the last checkpoint was written.
    """

    convergence_epochs: Epochs = 3
    convergence_improvement: Annotated[float, Field(ge=0, lt=1)] = 0.01
    plateau_before_epoch: Epochs = 20
    plateau_epochs: Epochs = 5
    plateau_improvement: Annotated[float, Field(ge=0)] = 0.0005
    collapsed_kl: Positive = 0.01
    collapse_epochs: Epochs = 5
    loss_gap: Positive = 0.15
    gradient_norm: Positive = 10.0
    loss_spike: Annotated[float, Field(gt=1)] = 1.5
    throughput_share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    memory_share: Annotated[float, Field(gt=0, le=1)] = 0.9
    checkpoint_age_s: Positive = 900.0

    def in_ratings(self, star: float) -> WarningThresholds:
        """Return the thresholds for metrics in ratings, of which a star is ``star`` wide."""
        return self.model_copy(update={"plateau_improvement": self.plateau_improvement * star})


def detect(history: Sequence[EpochMetrics], thresholds: WarningThresholds) -> list[Finding]:
    """Return the warnings of the last epoch of ``history``, compared with those before it.

    They are about gradient descent; an MCMC chain, whose metrics have another meaning, gives none.
    """
    if history and history[-1].sweeps is not None:
        return []
    found = (detector(history, thresholds) for detector in DETECTORS if history)
    return [finding for finding in found if finding is not None]


def poor_convergence(history: Sequence[EpochMetrics], thresholds: WarningThresholds) -> Finding | None:
    """Detect little progress; the value is the fall of ``train_loss`` since the first epoch."""
    if history[-1].epoch < thresholds.convergence_epochs or history[0].epoch != 1:
        return None
    first = history[0].train_loss
    fall = 1 - min(record.train_loss for record in history) / first if first > 0 else 1.0
    if fall >= thresholds.convergence_improvement:
        return None
    return _warning(
        "poor_convergence",
        fall,
        thresholds.convergence_improvement,
        "training hardly moves: try training.learning_rate_schedule.warmup_epochs, or another learning rate",
    )


def validation_plateau(history: Sequence[EpochMetrics], thresholds: WarningThresholds) -> Finding | None:
    """Detect that ``val_rmse`` stopped falling early; the value is the improvement, in stars.

    ``val_rmse`` and not ``val_loss``, which moves by itself while a schedule moves the KL weight.
    """
    waited = thresholds.plateau_epochs
    if history[-1].epoch >= thresholds.plateau_before_epoch or len(history) <= waited:
        return None
    before, since = history[:-waited], history[-waited:]
    improvement = min(r.val_rmse for r in before) - min(r.val_rmse for r in since)
    if improvement >= thresholds.plateau_improvement:
        return None
    return _warning(
        "validation_plateau",
        improvement,
        thresholds.plateau_improvement,
        f"no better val_rmse for {waited} epochs: try another learning rate, less capacity or less dropout",
    )


def posterior_collapse(history: Sequence[EpochMetrics], thresholds: WarningThresholds) -> Finding | None:
    """Detect that the latent carries no information: the KL stays near 0; the value is ``val_kl``.

    Models without a latent report a KL of exactly 0 and are skipped.
    """
    last = history[-thresholds.collapse_epochs :]
    if len(last) < thresholds.collapse_epochs or all(record.val_kl == 0 for record in history):
        return None
    if max(record.val_kl for record in last) >= thresholds.collapsed_kl:
        return None
    active = last[-1].active_units
    so_far = "" if active is None else f", {active:.0%} of its units are active"
    return _warning(
        "posterior_collapse",
        last[-1].val_kl,
        thresholds.collapsed_kl,
        f"the latent is ignored{so_far}: lower training.kl_weight or training.weight_decay",
    )


def loss_gap(history: Sequence[EpochMetrics], thresholds: WarningThresholds) -> Finding | None:
    """Detect that the network fits its training rows much better than others: ``val_loss`` - ``train_loss``.

    Both are MSE + KL weight x KL, but measured under different conditions: ``train_loss`` is the
    mean over the epoch, with dropout and the latent's noise on and predictions not clipped. All three
    raise it, so that the true gap is wider than the measured one, most of all in the first epochs.
    """
    gap = history[-1].val_loss - history[-1].train_loss
    if gap <= thresholds.loss_gap:
        return None
    return _warning(
        "loss_gap",
        gap,
        thresholds.loss_gap,
        "overfitting: the best epoch's weights are kept; raise model.dropout or training.weight_decay, or "
        "lower the capacity",
    )


def gradient_norm(history: Sequence[EpochMetrics], thresholds: WarningThresholds) -> Finding | None:
    """Detect gradients so large that clipping, not the learning rate, determines the step."""
    norm = history[-1].gradient_norm
    if norm is None or norm <= thresholds.gradient_norm:
        return None
    return _warning(
        "gradient_norm",
        norm,
        thresholds.gradient_norm,
        "unstable: lower training.learning_rate or training.kl_weight, and keep gradient_clip_norm",
    )


def loss_spike(history: Sequence[EpochMetrics], thresholds: WarningThresholds) -> Finding | None:
    """Detect that ``train_loss`` jumped; the value is its multiple of the epochs before."""
    before = history[-6:-1]
    if not before:
        return None
    typical = median(record.train_loss for record in before)
    ratio = history[-1].train_loss / typical if typical > 0 else 1.0
    if ratio <= thresholds.loss_spike:
        return None
    return _warning(
        "loss_spike",
        ratio,
        thresholds.loss_spike,
        "unstable: lower training.learning_rate or training.kl_weight",
    )


def throughput_fall(history: Sequence[EpochMetrics], thresholds: WarningThresholds) -> Finding | None:
    """Detect that training became slow; the value is the fraction of the median samples per second."""
    before, last = history[:-2], history[-2:]
    if len(before) < 3:
        return None
    share = max(record.samples_per_s for record in last) / median(record.samples_per_s for record in before)
    if share >= thresholds.throughput_share:
        return None
    return _warning(
        "throughput_fall",
        share,
        thresholds.throughput_share,
        "something else uses the machine, or the device is throttled: see what runs beside it",
    )


def memory(share: float | None, thresholds: WarningThresholds) -> Finding | None:
    """Detect that the device's memory is nearly used up; ``share`` is None if unknown."""
    if share is None or share <= thresholds.memory_share:
        return None
    return _warning(
        "memory",
        share,
        thresholds.memory_share,
        "the device's memory is nearly full: see what else uses it, or set training.micro_batch_size",
    )


def checkpoint_age(seconds: float, thresholds: WarningThresholds) -> Finding | None:
    """Detect that a crash would cost much; the value is the time since the last checkpoint, in seconds."""
    if seconds <= thresholds.checkpoint_age_s:
        return None
    return _warning(
        "checkpoint_age",
        seconds,
        thresholds.checkpoint_age_s,
        "a crash would cost all since then: see whether the disk is slow, lower training.checkpoint_every_s",
    )


Detector = Callable[[Sequence[EpochMetrics], WarningThresholds], Finding | None]
DETECTORS: tuple[Detector, ...] = (
    poor_convergence,
    validation_plateau,
    posterior_collapse,
    loss_gap,
    gradient_norm,
    loss_spike,
    throughput_fall,
)


def _warning(name: str, value: float, threshold: float, advice: str) -> Finding:
    return Finding(name, value, threshold, Severity.WARNING, advice)
