"""Schedules of the learning rate and the KL weight, without torch.

Progress is counted in epochs, fractions included: 2.5 is the middle of the third epoch. Nothing here has
state; reductions of a plateau schedule follow from the metric history.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from movielens_recsys.training.config import KLAnnealing, TrainingConfig
from movielens_recsys.training.history import EpochMetrics


def kl_weight_at(progress: float, training: TrainingConfig) -> float:
    """Return the KL term's weight: ``kl_weight``, or on its way there from ``beta_min``.

    Linear: Bowman et al., 2016 (https://aclanthology.org/K16-1002). Cyclical: Fu et al., 2019
    (https://aclanthology.org/N19-1021). Cosine: beta_min + (kl_weight - beta_min) (1 - cos(pi x)) / 2.

    >>> training = TrainingConfig(kl_weight=0.01, kl_annealing=KLAnnealing(epochs=4))
    >>> [kl_weight_at(progress, training) for progress in (0, 1, 4, 9)]
    [0.0, 0.0025, 0.01, 0.01]
    """
    annealing = training.kl_annealing
    if annealing is None or progress >= annealing.epochs:
        return training.kl_weight
    fraction = _annealing_fraction(progress / annealing.epochs, annealing)
    return annealing.beta_min + (training.kl_weight - annealing.beta_min) * fraction


def _annealing_fraction(elapsed: float, annealing: KLAnnealing) -> float:
    """Return the fraction of the rise that is done at the fraction ``elapsed`` of the annealing."""
    if annealing.shape == "linear":
        return elapsed
    if annealing.shape == "cosine":
        return (1 - math.cos(math.pi * elapsed)) / 2
    within_cycle = elapsed * annealing.cycles % 1
    return min(1.0, within_cycle / annealing.ramp)


def learning_rate_at(
    progress: float, training: TrainingConfig, history: Sequence[EpochMetrics] = ()
) -> float:
    """Return the learning rate; a ``plateau`` schedule depends on ``history``, the epochs before.

    Warm-up: Goyal et al., 2017 (https://arxiv.org/abs/1706.02677). Cosine without restarts: Loshchilov &
    Hutter, 2017 (https://arxiv.org/abs/1608.03983). SWA's own rate: Izmailov et al., 2018
    (https://arxiv.org/abs/1803.05407).

    >>> schedule = {"shape": "cosine", "warmup_epochs": 2}
    >>> training = TrainingConfig(epochs=10, learning_rate=0.001, learning_rate_schedule=schedule)
    >>> [round(learning_rate_at(progress, training), 6) for progress in (0.5, 2, 6, 10)]
    [0.00025, 0.001, 0.0005, 0.0]
    """
    if training.swa is not None and training.swa.learning_rate is not None and swa_is_on(progress, training):
        return training.swa.learning_rate
    schedule = training.learning_rate_schedule
    if progress < schedule.warmup_epochs:
        return training.learning_rate * progress / schedule.warmup_epochs
    if schedule.shape == "plateau":
        return training.learning_rate * schedule.factor ** _reductions(history, schedule.patience)
    if schedule.shape == "constant":
        return training.learning_rate
    length = max(training.epochs - schedule.warmup_epochs, 1)
    share = min(1.0, (progress - schedule.warmup_epochs) / length)
    floor = schedule.final_share
    return training.learning_rate * (floor + (1 - floor) * (1 + math.cos(math.pi * share)) / 2)


def swa_is_on(progress: float, training: TrainingConfig) -> bool:
    """Whether SWA averages the weights that training reaches at ``progress`` epochs."""
    return training.swa is not None and progress > training.swa.start * training.epochs


def _reductions(history: Sequence[EpochMetrics], patience: int) -> int:
    """Return how often ``val_rmse`` has not improved for ``patience`` epochs in a row."""
    best, waited, reductions = math.inf, 0, 0
    for record in history:
        if record.val_rmse < best:
            best, waited = record.val_rmse, 0
        else:
            waited += 1
        if waited == patience:
            waited, reductions = 0, reductions + 1
    return reductions
