"""Intervals by bootstrap over users, and paired differences between two recommenders.

Ratings of one user are correlated, so users are resampled, not ratings (Efron and Tibshirani 1993,
chapter 13). A resample is a count per user; a metric that is a ratio of sums over users is recomputed
from weighted sums. The intervals cover the sampling of users only: variation between training runs or
between splits is not in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F64
from movielens_recsys.errors import EvaluationError
from movielens_recsys.evaluation.aggregates import Aggregates
from movielens_recsys.evaluation.metric_definitions import HELD_OUT
from movielens_recsys.evaluation.metric_name import MetricName
from movielens_recsys.evaluation.per_user import PerUserMetrics, value_of
from movielens_recsys.seeds import generator

BLOCK_DRAWS = 4_000_000

NO_BOOTSTRAP_INTERVAL = frozenset({"calibration_error"})
"""Metrics without an interval: sums of absolute values, which the noise of resampling can only increase, so
that the resampled values lie above the metric itself."""

_COMPARABLE = {
    "data_hash": "different data",
    "split_hash": "different splits",
    "part": "different parts of the split",
    "k": "different cut-offs",
    "relevance_threshold": "different relevance thresholds",
}
"""Fields of `PerUserMetrics` that must be equal in a comparison, and the words if they are not."""


def resampled(per_user: Aggregates, samples: int, seed: int) -> Aggregates:
    """Return the totals of ``samples`` resamples of the users, shape (samples, columns)."""
    n_users = len(per_user.values)
    weights = _weights(n_users, samples, generator(seed, "bootstrap over users"))
    return Aggregates(per_user.names, np.concatenate([per_user.weighted(block).values for block in weights]))


def interval(values: NDArray[np.floating], confidence: float) -> tuple[float, float]:
    """Return the central interval that contains the share ``confidence`` of the resampled values.

    Resamples without a value (NaN: nothing to count) are left out.

    >>> interval(np.arange(101.0), 0.75)
    (12.5, 87.5)
    """
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The paired difference ``a`` - ``b`` of one metric, with its interval.

    ``better`` is "a" or "b" if the interval excludes zero and the metric has a direction, else None.
    """

    metric: str
    protocol: str
    a: float
    b: float
    difference: float
    low: float
    high: float
    confidence: float
    better: str | None


def paired_difference(
    a: PerUserMetrics,
    b: PerUserMetrics,
    metric: str = "rmse",
    protocol: str = HELD_OUT,
    *,
    confidence: float = 0.95,
    samples: int = 1000,
    seed: int = 0,
) -> PairedDifference:
    """Compare one metric of two recommenders over the same users.

    Each resample gives a user the same weight in both, so that effects of easy and hard users cancel:
    the interval is much narrower than those of the two values.

    Raises
    ------
    EvaluationError
        If the metrics are of different data, splits, parts or protocols, or are not means over users.
    """
    _require_comparable(a, b)
    name = MetricName.of_report(metric, protocol)
    for metrics in (a, b):
        metrics.require(name)
    resamples = [value_of(name, resampled(metrics.aggregates, samples, seed)) for metrics in (a, b)]
    values = [float(value_of(name, metrics.aggregates.total())) for metrics in (a, b)]
    low, high = interval(resamples[0] - resamples[1], confidence)
    return PairedDifference(
        metric=metric,
        protocol=protocol,
        a=values[0],
        b=values[1],
        difference=values[0] - values[1],
        low=low,
        high=high,
        confidence=confidence,
        better=_better(name, low, high),
    )


def _better(name: MetricName, low: float, high: float) -> str | None:
    if name.better == "neither" or low <= 0 <= high:
        return None
    return "a" if (low > 0) == name.higher_is_better else "b"


def _require_comparable(a: PerUserMetrics, b: PerUserMetrics) -> None:
    for field, words in _COMPARABLE.items():
        left, right = getattr(a, field), getattr(b, field)
        if left != right:
            raise EvaluationError(
                f"metrics of {words}: {str(left)[:12]} and {str(right)[:12]}",
                expected="two recommenders evaluated on the same held-out ratings under the same protocol",
                next_step="evaluate both on one split with one evaluation configuration",
            )


def _weights(n_users: int, samples: int, rng: np.random.Generator) -> Iterator[F64]:
    """Yield how often each user is drawn, shape (block, n_users), in blocks of bounded memory."""
    size = max(1, BLOCK_DRAWS // n_users)
    for start in range(0, samples, size):
        block = min(size, samples - start)
        drawn = rng.integers(n_users, size=(block, n_users)) + np.arange(block)[:, None] * n_users
        yield np.bincount(drawn.ravel(), minlength=block * n_users).reshape(block, n_users).astype(np.float64)
