"""`Report`: metrics with protocol and interval, reference models, and the data and split they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from movielens_recsys.config import current_keys
from movielens_recsys.errors import EvaluationError
from movielens_recsys.evaluation.metric_definitions import HELD_OUT
from movielens_recsys.evaluation.metric_name import MetricName
from movielens_recsys.evaluation.per_user import PerUserMetrics
from movielens_recsys.evaluation.rating_metrics import CalibrationBin, RatingCount
from movielens_recsys.evaluation.relevance import describe_relevance, relevance_finding
from movielens_recsys.schema import Finding

_JSON_KEYS = {"metrics": "figures", "rating_counts": "stars"}
"""Attributes of a report that have another name in its JSON."""


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One measured value with its protocol and its interval by bootstrap over users.

    ``low`` and ``high`` are None where there is no such interval: for coverage, for the calibration error
    (`NO_BOOTSTRAP_INTERVAL`) and for a single user. ``n_users`` is the number of users that count.
    """

    metric: str
    value: float
    low: float | None
    high: float | None
    protocol: str
    n_users: int

    @property
    def name(self) -> MetricName:
        """The metric with cut-off and protocol; its part is left open, because the report states it."""
        return MetricName.of_report(self.metric, self.protocol)


@dataclass(frozen=True)
class Report:
    """Everything measured in one evaluation.

    Attributes
    ----------
    part, data_name, data_hash, split, split_hash
        Which held-out ratings of which split (its configuration) of which data.
    k, relevance_threshold, confidence
        Cut-off of the rankings, rating from which an item is relevant, level of the intervals.
    n_ratings, n_users
        Held-out ratings and the users who gave them.
    users_without_relevant
        Of these, users without a relevant item: excluded from ranking means.
    cold_users, cold_items, cold_ratings
        Users and items of the part without a training rating, and the ratings that involve one; they
        are predicted by the recommender's fallback and counted in every metric.
    metrics, references
        The recommender's metrics, and those of each reference model by name. In JSON, ``figures``.
    calibration, rating_counts
        Mean predicted and actual rating by bins, and the distributions of both over the levels of the
        scale. The latter is ``stars`` in JSON.
    formulas, protocols
        In words: each metric's formula and each protocol's rule.
    seconds
        Wall time of the evaluation, reference models included.
    relevant_share
        Share of the held-out ratings that reach the threshold; None in reports of earlier versions.
    implicit
        Whether the data are interactions without ratings: then there are no rating metrics.
    per_user
        Kept for paired comparisons; not part of the JSON nor of equality.
    """

    part: str
    data_name: str
    data_hash: str
    split: Mapping[str, Any]
    split_hash: str
    k: int
    relevance_threshold: float
    confidence: float
    n_ratings: int
    n_users: int
    users_without_relevant: int
    cold_users: int
    cold_items: int
    cold_ratings: int
    metrics: tuple[MetricValue, ...]
    references: Mapping[str, tuple[MetricValue, ...]]
    calibration: tuple[CalibrationBin, ...]
    rating_counts: tuple[RatingCount, ...]
    formulas: Mapping[str, str]
    protocols: Mapping[str, str]
    seconds: float
    relevant_share: float | None = None
    implicit: bool = False
    per_user: PerUserMetrics | None = field(default=None, compare=False, repr=False)

    def __repr__(self) -> str:
        where = (
            f"{self.part} part of {self.data_name!r}, {self.n_ratings:,} ratings of {self.n_users:,} users"
        )
        values = [f"  {value.name} {value.value:.4f}" for value in self.metrics]
        return "\n".join([f"Report({where}):", *values])

    @property
    def is_ranked(self) -> bool:
        """Whether rankings were measured, under at least one protocol."""
        return any(protocol != HELD_OUT for protocol in self.protocols)

    @property
    def relevance(self) -> str:
        """The relevance threshold and the share of the held-out ratings that reach it, in words."""
        return describe_relevance(self.relevance_threshold, self.relevant_share, implicit=self.implicit)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What limits what the metrics say."""
        if self.relevant_share is None or not self.is_ranked:
            return ()
        found = relevance_finding(self.relevance_threshold, self.relevant_share, implicit=self.implicit)
        return () if found is None else (found,)

    def metric_value(
        self, metric: str, protocol: str = HELD_OUT, *, reference: str | None = None
    ) -> MetricValue:
        """Return one metric, e.g. ``metric_value("rmse")`` or ``metric_value("ndcg@10", "full")``.

        Raises
        ------
        EvaluationError
            If it was not measured.
        """
        if reference is not None and reference not in self.references:
            raise EvaluationError(
                f"no reference model {reference!r}", expected=f"one of {', '.join(sorted(self.references))}"
            )
        metrics = self.metrics if reference is None else self.references[reference]
        for value in metrics:
            if (value.metric, value.protocol) == (metric, protocol):
                return value
        raise EvaluationError(
            f"no metric {metric} under the protocol {protocol}",
            expected=f"one of {', '.join(f'{value.metric} ({value.protocol})' for value in metrics)}",
            next_step="name the metric with its cut-off, and its protocol",
        )

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values; `from_json` gives back an equal report."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "per_user"} | {
            "split": dict(self.split),
            "metrics": [asdict(value) for value in self.metrics],
            "references": {name: [asdict(v) for v in values] for name, values in self.references.items()},
            "calibration": [asdict(row) for row in self.calibration],
            "rating_counts": [asdict(row) for row in self.rating_counts],
            "formulas": dict(self.formulas),
            "protocols": dict(self.protocols),
        }
        return {_JSON_KEYS.get(name, name): value for name, value in values.items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Report:
        """Rebuild a report from `to_json`'s output.

        Raises
        ------
        EvaluationError
            If keys are missing or unknown.
        """
        try:
            fields = dict(current_keys(values))
            references = {name: _metric_values(rows) for name, rows in fields.pop("references").items()}
            return cls(
                metrics=_metric_values(fields.pop(_JSON_KEYS["metrics"])),
                references=references,
                calibration=tuple(CalibrationBin(**row) for row in fields.pop("calibration")),
                rating_counts=tuple(RatingCount(**row) for row in fields.pop(_JSON_KEYS["rating_counts"])),
                **fields,
            )
        except (KeyError, TypeError, AttributeError) as exc:
            raise EvaluationError(
                "these values are not a report's",
                expected="the JSON of Report.to_json",
                next_step="evaluate again",
            ) from exc


def _metric_values(rows: list[dict[str, Any]]) -> tuple[MetricValue, ...]:
    return tuple(MetricValue(**row) for row in rows)
