"""`PerUserMetrics`: what each user contributes to each metric, for intervals and paired comparisons."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F64, NPZ_ERRORS
from movielens_recsys.errors import EvaluationError
from movielens_recsys.evaluation import ranking_metrics, rating_metrics
from movielens_recsys.evaluation.aggregates import Aggregates, divide
from movielens_recsys.evaluation.candidates import HeldOut, TopK
from movielens_recsys.evaluation.metric_definitions import HELD_OUT, RANKING_METRICS, RATING_METRICS
from movielens_recsys.evaluation.metric_name import MetricName
from movielens_recsys.files import write_atomically

_RATING: Mapping[str, Callable[[Aggregates], F64]] = {
    "rmse": rating_metrics.rmse,
    "mae": rating_metrics.mae,
    "user_rmse": rating_metrics.user_rmse,
    "r2": rating_metrics.r2,
    "calibration_error": rating_metrics.calibration_error,
}

_IDENTITY = ("data_hash", "split_hash", "part", "k", "relevance_threshold")

_RENAMED = {"relevant_from": "relevance_threshold", "whole": "catalogue_metrics"}
"""Former names in files, and the present ones."""

_OVER_ALL_SHOWN = frozenset({"novelty", "popularity_bias", "coverage"})
"""Ranking metrics of what is shown, whether relevant or not: they count every user with a ranking."""


@dataclass(frozen=True, eq=False)
class PerUserMetrics:
    """Additive columns per evaluated user, with the data, split and protocol that make them comparable.

    Attributes
    ----------
    data_hash, split_hash, part, k, relevance_threshold
        As in `Report`.
    users
        Indices of the evaluated users, shape (n_users,).
    aggregates
        One row per evaluated user.
    catalogue_metrics
        Metrics that are no mean over users (coverage), by ``protocol:metric@k``.
    """

    data_hash: str
    split_hash: str
    part: str
    k: int
    relevance_threshold: float
    users: NDArray[np.int64]
    aggregates: Aggregates
    catalogue_metrics: Mapping[str, float]

    @property
    def names(self) -> tuple[MetricName, ...]:
        """Every metric that can be computed from these columns: rating metrics first, then each protocol."""
        rating_names = [MetricName(name) for name in RATING_METRICS if "count" in self.aggregates]
        protocols = [key.partition(":")[0] for key in self.catalogue_metrics]
        return (*rating_names, *(MetricName(name, self.k, p) for p in protocols for name in RANKING_METRICS))

    def catalogue_metric(self, name: MetricName) -> float | None:
        """Return a metric that is no mean over users; None for all others."""
        return self.catalogue_metrics.get(f"{name.protocol}:{name.with_cutoff}")

    def require(self, name: MetricName) -> None:
        """Refuse a metric that is not a function of sums over these users.

        Raises
        ------
        EvaluationError
            It was not measured, or belongs to the catalogue as a whole.
        """
        means = [known for known in self.names if self.catalogue_metric(known) is None]
        if name not in means:
            raise EvaluationError(
                f"no per-user values of {name.with_cutoff} under the protocol {name.protocol}",
                expected=f"one of {', '.join(f'{known.with_cutoff} ({known.protocol})' for known in means)}",
                next_step="name the metric with its cut-off, and its protocol",
            )

    def save(self, path: Path) -> None:
        """Write an .npz file, whole or not at all."""
        buffer = io.BytesIO()
        about = {name: getattr(self, name) for name in _IDENTITY}
        about |= {"names": self.aggregates.names, "catalogue_metrics": dict(self.catalogue_metrics)}
        arrays = {"about": np.array(json.dumps(about)), "users": self.users, "values": self.aggregates.values}
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        write_atomically(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> PerUserMetrics:
        """Read what `save` wrote; nothing is unpickled.

        Raises
        ------
        EvaluationError
            If the file is missing or is not one of `save`'s.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                about: dict[str, Any] = json.loads(str(stored["about"]))
                about = {_RENAMED.get(name, name): value for name, value in about.items()}
                aggregates = Aggregates(tuple(about.pop("names")), stored["values"])
                return cls(users=stored["users"], aggregates=aggregates, **about)
        except NPZ_ERRORS as exc:
            raise EvaluationError(
                f"cannot read per-user metrics from {path}",
                expected="an .npz file that an evaluation wrote",
                next_step="run the evaluation again",
            ) from exc


def ranking_aggregates(protocol: str, top: TopK, held_out: HeldOut) -> Aggregates:
    """Return the columns of one ranking protocol: each metric per user, and the users that count for it."""
    n_train_users = int(np.count_nonzero(held_out.train_users))
    accuracy = {
        "precision": ranking_metrics.precision(top.hits, held_out.n_relevant),
        "recall": ranking_metrics.recall(top.hits, held_out.n_relevant),
        "ndcg": ranking_metrics.ndcg(top.hits, held_out.n_relevant),
        "map": ranking_metrics.average_precision(top.hits, held_out.n_relevant),
        "mrr": ranking_metrics.reciprocal_rank(top.hits, held_out.n_relevant),
        "hit_rate": ranking_metrics.hit_rate(top.hits, held_out.n_relevant),
    }
    shown = {
        "novelty": ranking_metrics.novelty(top.items, held_out.train_counts, n_train_users),
        "popularity_bias": ranking_metrics.popularity_bias(top.items, held_out.train_counts),
    }
    columns = {f"{protocol}:{name}": np.nan_to_num(values) for name, values in (accuracy | shown).items()}
    # "judged" is the name in saved files: the users with something relevant to find.
    columns[f"{protocol}:judged"] = (held_out.n_relevant > 0).astype(np.float64)
    columns[f"{protocol}:shown"] = (top.items != ranking_metrics.NO_ITEM).any(axis=1).astype(np.float64)
    return Aggregates.of(columns)


def value_of(name: MetricName, aggregates: Aggregates) -> F64:
    """Return a metric of one user, of all users or of resamples, whichever the rows are."""
    if name.protocol == HELD_OUT:
        return _RATING[name.metric](aggregates)
    return divide(aggregates[f"{name.protocol}:{name.metric}"], aggregates[_counting_column(name)])


def n_users_of(name: MetricName, total: Aggregates) -> int:
    """Return the number of users that count for a metric."""
    return int(total["raters" if name.protocol == HELD_OUT else _counting_column(name)])


def _counting_column(name: MetricName) -> str:
    return f"{name.protocol}:{'shown' if name.metric in _OVER_ALL_SHOWN else 'judged'}"
