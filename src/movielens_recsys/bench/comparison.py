"""Metrics of table rows over one or several folds, and paired differences, by bootstrap over users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.evaluation.aggregates import Aggregates
from movielens_recsys.evaluation.bootstrap import interval, resampled
from movielens_recsys.evaluation.metric_definitions import HELD_OUT
from movielens_recsys.evaluation.metric_name import MetricName
from movielens_recsys.evaluation.per_user import PerUserMetrics, value_of

CONFIDENCE = 0.95
SAMPLES = 1000
SEED = 0
_NEEDED = {HELD_OUT: ("count", "squared", "absolute"), "full": ()}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class BootstrapMean:
    """One metric of one row: its mean over folds, and that mean in each resample of the users."""

    metric: str
    value: float
    resamples: NDArray[np.float64]

    @property
    def estimate(self) -> Estimate:
        """The metric with its interval."""
        return Estimate(self.value, *interval(self.resamples, CONFIDENCE))

    def minus(self, other: BootstrapMean) -> Estimate:
        """Return the difference to another row of the same folds, paired: both have the same resamples."""
        low, high = interval(self.resamples - other.resamples, CONFIDENCE)
        return Estimate(self.value - other.value, low, high)


def bootstrap_mean(folds: Sequence[PerUserMetrics], metric: str, protocol: str) -> BootstrapMean:
    """Return a metric's mean over folds, with resamples of the users of all folds together.

    A user is resampled with all of their ratings, whatever fold tests them. For one fold the result equals
    that of `evaluation.bootstrap`.
    """
    users = np.unique(np.concatenate([fold.users for fold in folds]))
    names = [name for name in folds[0].aggregates.names if _is_needed(name, protocol)]
    columns = np.zeros((len(users), len(folds) * len(names)))
    for position, fold in enumerate(folds):
        rows = np.searchsorted(users, fold.users)
        fold_columns = np.column_stack([fold.aggregates[name] for name in names])
        columns[rows, position * len(names) : (position + 1) * len(names)] = fold_columns
    all_folds = Aggregates(tuple(str(column) for column in range(columns.shape[1])), columns)

    metric_name = MetricName.of_report(metric, protocol)

    def mean(aggregates: Aggregates) -> NDArray[np.float64]:
        per_fold = np.split(aggregates.values, len(folds), axis=-1)
        values = [value_of(metric_name, Aggregates(tuple(names), part)) for part in per_fold]
        return np.asarray(np.mean(values, axis=0))

    return BootstrapMean(metric, float(mean(all_folds.total())), mean(resampled(all_folds, SAMPLES, SEED)))


def _is_needed(name: str, protocol: str) -> bool:
    return name in _NEEDED[protocol] if _NEEDED[protocol] else name.startswith(f"{protocol}:")


def is_better(metric: str, difference: Estimate) -> bool | None:
    """Return whether a difference is an improvement; None if its interval contains zero."""
    if difference.low <= 0 <= difference.high:
        return None
    return (difference.low > 0) == MetricName.parse(metric).higher_is_better
