"""How sure a figure is: percentile bootstrap over users, and paired differences of two recommenders.

Ratings of one person are correlated, so people are resampled, not ratings (Efron and Tibshirani 1993,
chapter 13). A resample is a count per user; a figure that is a ratio of sums over users is recomputed
from weighted sums. Intervals speak of the choice of users: neither the luck of one training run nor
of one split is in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F64
from movielens_recsys.errors import EvaluationError
from movielens_recsys.evaluation.aggregates import Aggregates
from movielens_recsys.evaluation.metric_name import MetricName
from movielens_recsys.evaluation.metrics import HELD_OUT
from movielens_recsys.evaluation.per_user import PerUserMetrics, value_of
from movielens_recsys.seeds import generator

BLOCK_DRAWS = 4_000_000

NO_BOOTSTRAP_INTERVAL = frozenset({"calibration_error"})
"""Figures without an interval: of sums of magnitudes, where whatever resampling adds counts upwards, so that
the resampled values lie above the figure itself."""


def resampled(sums: Aggregates, samples: int, seed: int) -> Aggregates:
    """Return the total of ``samples`` resamples of the users, shape (samples, columns)."""
    n_users = len(sums.values)
    weights = _weights(n_users, samples, generator(seed, "bootstrap over users"))
    return Aggregates(sums.names, np.concatenate([sums.weighted(block).values for block in weights]))


def interval(values: NDArray[np.floating], confidence: float) -> tuple[float, float]:
    """Return the central interval that holds the share ``confidence`` of the resampled values.

    Resamples in which nothing could be counted (NaN) are left out.

    >>> interval(np.arange(101.0), 0.75)
    (12.5, 87.5)
    """
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The paired difference ``a`` - ``b`` of one figure, with its interval.

    ``better`` is "a" or "b" if the interval leaves out zero and the metric has a direction, else None.
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
    """Hold two recommenders' figures of the same users against each other.

    Each resample weighs both recommenders' users alike, so what is easy or hard about a user cancels:
    the interval is much narrower than those of the two figures.

    Raises
    ------
    EvaluationError
        If the figures are of different data, splits, parts or protocols, or are not means over users.
    """
    _refuse_unlike(a, b)
    for figures in (a, b):
        figures.require(metric, protocol)
    drawn = [value_of(metric, protocol, resampled(figures.sums, samples, seed)) for figures in (a, b)]
    values = [float(value_of(metric, protocol, figures.sums.total())) for figures in (a, b)]
    low, high = interval(drawn[0] - drawn[1], confidence)
    return PairedDifference(
        metric=metric,
        protocol=protocol,
        a=values[0],
        b=values[1],
        difference=values[0] - values[1],
        low=low,
        high=high,
        confidence=confidence,
        better=_better(metric, low, high),
    )


def _better(metric: str, low: float, high: float) -> str | None:
    direction = MetricName.parse(metric).better
    if direction == "neither" or low <= 0 <= high:
        return None
    return "a" if (low > 0) == (direction == "higher") else "b"


def _refuse_unlike(a: PerUserMetrics, b: PerUserMetrics) -> None:
    for field, words in (
        ("data_hash", "different data"),
        ("split_hash", "different splits"),
        ("part", "different parts of the split"),
        ("k", "different list lengths"),
        ("relevance_threshold", "different thresholds of relevance"),
    ):
        left, right = getattr(a, field), getattr(b, field)
        if left != right:
            raise EvaluationError(
                f"figures of {words}: {str(left)[:12]} and {str(right)[:12]}",
                expected="two recommenders judged on the same held-out ratings by the same protocol",
                next_step="evaluate both on one split with one evaluation configuration",
            )


def _weights(n_users: int, samples: int, rng: np.random.Generator) -> Iterator[F64]:
    """Yield how often each user is drawn, shape (block, n_users), in blocks of bounded memory."""
    size = max(1, BLOCK_DRAWS // n_users)
    for start in range(0, samples, size):
        block = min(size, samples - start)
        drawn = rng.integers(n_users, size=(block, n_users)) + np.arange(block)[:, None] * n_users
        yield np.bincount(drawn.ravel(), minlength=block * n_users).reshape(block, n_users).astype(np.float64)
