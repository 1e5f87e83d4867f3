"""`PerUserMetrics`: what each user contributes to each metric, for intervals and paired comparisons."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F64
from movielens_recsys.errors import EvaluationError
from movielens_recsys.evaluation import ranking, rating
from movielens_recsys.evaluation.aggregates import Aggregates, divide
from movielens_recsys.evaluation.candidates import HeldOut, TopK
from movielens_recsys.evaluation.metric_name import MetricName
from movielens_recsys.evaluation.metrics import HELD_OUT, RANKING_METRICS, RATING_METRICS
from movielens_recsys.files import write_atomically

_RATING: Mapping[str, Callable[[Aggregates], F64]] = {
    "rmse": rating.rmse,
    "mae": rating.mae,
    "user_rmse": rating.user_rmse,
    "r2": rating.r2,
    "calibration_error": rating.calibration_error,
}

_IDENTITY = ("data_hash", "split_hash", "part", "k", "relevance_threshold")


_RENAMED = {"relevant_from": "relevance_threshold", "whole": "catalogue_metrics"}
"""Former names in files, and the present ones."""


@dataclass(frozen=True, eq=False)
class PerUserMetrics:
    """Additive columns per judged user, with all that says what they may be compared with.

    Attributes
    ----------
    users
        Indices of the judged users, shape (n_users,).
    sums
        One row per judged user.
    whole
        Figures that belong to no single user (coverage), by column name.
    """

    data_hash: str
    split_hash: str
    part: str
    k: int
    relevance_threshold: float
    users: NDArray[np.int64]
    sums: Aggregates
    catalogue_metrics: Mapping[str, float]

    @property
    def figures(self) -> tuple[tuple[str, str], ...]:
        """(metric, protocol) of every figure that these columns give."""
        rating_names = [(name, HELD_OUT) for name in RATING_METRICS if "count" in self.sums]
        protocols = [name.partition(":")[0] for name in self.catalogue_metrics]
        return (*rating_names, *((f"{m}@{self.k}", p) for p in protocols for m in RANKING_METRICS))

    def require(self, metric: str, protocol: str) -> None:
        """Refuse a figure that is not a function of sums over these users."""
        if (metric, protocol) not in self.figures or f"{protocol}:{metric}" in self.catalogue_metrics:
            means = [f"{m} ({p})" for m, p in self.figures if f"{p}:{m}" not in self.catalogue_metrics]
            raise EvaluationError(
                f"no per-user figures of {metric} under the protocol {protocol}",
                expected=f"one of {', '.join(means)}",
                next_step="name the metric with its cut-off, and its protocol",
            )

    def save(self, path: Path) -> None:
        """Write an .npz file, whole or not at all."""
        buffer = io.BytesIO()
        about = {name: getattr(self, name) for name in _IDENTITY}
        about |= {"names": self.sums.names, "catalogue_metrics": dict(self.catalogue_metrics)}
        arrays = {"about": np.array(json.dumps(about)), "users": self.users, "values": self.sums.values}
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
                sums = Aggregates(tuple(about.pop("names")), stored["values"])
                return cls(users=stored["users"], sums=sums, **about)
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as exc:
            raise EvaluationError(
                f"cannot read per-user figures from {path}",
                expected="an .npz file that an evaluation wrote",
                next_step="run the evaluation again",
            ) from exc


def ranking_aggregates(protocol: str, lists: TopK, held: HeldOut) -> Aggregates:
    """Return the columns of one ranking protocol: each metric's value, and who counts for it."""
    n_train_users = int(np.count_nonzero(held.train_users))
    judged = {
        "precision": ranking.precision(lists.hits, held.n_relevant),
        "recall": ranking.recall(lists.hits, held.n_relevant),
        "ndcg": ranking.ndcg(lists.hits, held.n_relevant),
        "map": ranking.average_precision(lists.hits, held.n_relevant),
        "mrr": ranking.reciprocal_rank(lists.hits, held.n_relevant),
        "hit_rate": ranking.hit_rate(lists.hits, held.n_relevant),
    }
    shown = {
        "novelty": ranking.novelty(lists.items, held.train_counts, n_train_users),
        "popularity_bias": ranking.popularity_bias(lists.items, held.train_counts),
    }
    columns = {f"{protocol}:{name}": np.nan_to_num(values) for name, values in (judged | shown).items()}
    columns[f"{protocol}:judged"] = (held.n_relevant > 0).astype(np.float64)
    columns[f"{protocol}:shown"] = (lists.items != ranking.NO_ITEM).any(axis=1).astype(np.float64)
    return Aggregates.of(columns)


def value_of(metric: str, protocol: str, sums: Aggregates) -> F64:
    """Return a figure from sums: of one user, of everyone, or of resamples."""
    if protocol == HELD_OUT:
        return _RATING[metric](sums)
    name = MetricName.parse(metric).metric
    return divide(sums[f"{protocol}:{name}"], sums[f"{protocol}:{_counted_by(name)}"])


def n_users_of(metric: str, protocol: str, total: Aggregates) -> int:
    """Return how many users a figure is about."""
    if protocol == HELD_OUT:
        return int(total["raters"])
    return int(total[f"{protocol}:{_counted_by(MetricName.parse(metric).metric)}"])


def _counted_by(name: str) -> str:
    return "shown" if name in {"novelty", "popularity_bias", "coverage"} else "judged"
