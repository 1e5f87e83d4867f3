"""Every metric by name: its label, the direction in which it improves, and its formula in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from movielens_recsys.errors import UnknownNameError

Direction = Literal["lower", "higher", "neither"]
RatingMetric = Literal["rmse", "mae", "user_rmse", "r2", "calibration_error"]
HELD_OUT = "held_out"
"""The protocol of rating metrics: every held-out rating is predicted."""

PROTOCOLS = {
    HELD_OUT: "every held-out rating is predicted",
    "full": "candidates are all items the user has not rated in training; relevant are held-out items rated "
    "at or above the threshold; in a test, the user's validation items stay candidates and count as misses",
    "rated": "candidates are only the user's own held-out items; relevant are those rated at or above the "
    "threshold; its floor and ceiling are set by the split, so read it beside the random and perfect rows",
}


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: ``better`` is the direction of improvement, ``formula`` a sentence for reports."""

    label: str
    better: Direction
    formula: str


RATING_METRICS: dict[str, Metric] = {
    "rmse": Metric("RMSE", "lower", "square root of the mean squared error, in ratings"),
    "mae": Metric("MAE", "lower", "mean absolute error, in ratings"),
    "user_rmse": Metric("RMSE per user", "lower", "mean over users of each user's own RMSE, in ratings"),
    "r2": Metric("R²", "higher", "1 - squared error / squared deviation from the mean held-out rating"),
    "calibration_error": Metric(
        "Calibration error",
        "lower",
        "mean over 20 bins of predicted rating, weighted by count, of |mean predicted - mean actual|",
    ),
}

RANKING_METRICS: dict[str, Metric] = {
    "precision": Metric("Precision", "higher", "relevant items among the first k, divided by k"),
    "recall": Metric("Recall", "higher", "relevant items among the first k, divided by all relevant items"),
    "ndcg": Metric(
        "NDCG",
        "higher",
        "sum over relevant items of 1/log2(rank + 1), divided by that of an ideal list cut at k",
    ),
    "map": Metric(
        "MAP", "higher", "sum of precision at each relevant rank up to k, divided by min(k, relevant items)"
    ),
    "mrr": Metric("MRR", "higher", "1 / rank of the first relevant item, 0 where none is among the first k"),
    "hit_rate": Metric("Hit rate", "higher", "share of users with a relevant item among the first k"),
    "coverage": Metric("Coverage", "higher", "share of the catalogue among the first k of at least one user"),
    "novelty": Metric(
        "Novelty",
        "neither",
        "mean over the first k of -log2(share of training users who rated the item), in bits",
    ),
    "popularity_bias": Metric(
        "Popularity bias",
        "neither",
        "mean training count of the first k items, divided by the mean count over the catalogue",
    ),
}

TRAINING_METRICS: dict[str, Metric] = {
    "loss": Metric("Loss", "lower", "mean squared error + KL weight x KL divergence; not an RMSE"),
    "mse": Metric("MSE", "lower", "mean squared error, in squared ratings"),
    "kl": Metric("KL", "neither", "KL divergence from posterior to prior per latent dimension, in nats"),
}
"""Metrics of an epoch besides the RMSE; an evaluation does not measure them."""

_METRICS = RATING_METRICS | RANKING_METRICS | TRAINING_METRICS


def metric_definition(name: str) -> Metric:
    """Return the metric of a bare name, without cut-off, protocol or part.

    >>> metric_definition("ndcg").better
    'higher'

    Raises
    ------
    UnknownNameError
        If there is no such metric.
    """
    if name not in _METRICS:
        raise UnknownNameError("metric", name, _METRICS)
    return _METRICS[name]
