"""`Report`: figures with protocol and interval, the rows to read them beside, and what they are of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from movielens_recsys.config import current_keys
from movielens_recsys.errors import EvaluationError
from movielens_recsys.evaluation.metric_name import MetricName
from movielens_recsys.evaluation.metrics import HELD_OUT
from movielens_recsys.evaluation.per_user import PerUserMetrics
from movielens_recsys.evaluation.rating import CalibrationBin, RatingCount


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One measured value with its protocol and the interval from resampled users.

    ``low`` and ``high`` are None where a bootstrap over users says nothing: of coverage, of the calibration
    error (`NO_BOOTSTRAP_INTERVAL`), of a single user. ``n_users`` is the number of users the figure is about.
    """

    metric: str
    value: float
    low: float | None
    high: float | None
    protocol: str
    n_users: int

    @property
    def name(self) -> MetricName:
        """What was measured, without the part, which the report states."""
        return MetricName.of_report(self.metric, self.protocol)


@dataclass(frozen=True)
class Report:
    """Everything measured in one evaluation.

    Attributes
    ----------
    part, data_name, data_hash, split, split_hash
        Which held-out ratings of which split (its configuration) of which data.
    k, relevance_threshold, confidence
        Length of the lists, threshold of relevance in stars, level of the intervals.
    n_ratings, n_users
        Held-out ratings and the users who gave them.
    users_without_relevant
        Of these, users with nothing relevant to find: left out of ranking means.
    cold_users, cold_items, cold_ratings
        Users and items of the part without a training rating, and the ratings that involve one; they
        are predicted by the recommender's fallback and counted in every figure.
    figures, references
        The recommender's figures, and those of each reference row by name.
    calibration, stars
        Predicted against actual by bins, and the distributions of both over legal ratings.
    formulas, protocols
        In words: each metric's formula and each protocol's rule.
    seconds
        Wall time of the evaluation, reference rows included.
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
    figures: tuple[MetricValue, ...]
    references: Mapping[str, tuple[MetricValue, ...]]
    calibration: tuple[CalibrationBin, ...]
    stars: tuple[RatingCount, ...]
    formulas: Mapping[str, str]
    protocols: Mapping[str, str]
    seconds: float
    per_user: PerUserMetrics | None = field(default=None, compare=False, repr=False)

    def metric_value(
        self, metric: str, protocol: str = HELD_OUT, *, reference: str | None = None
    ) -> MetricValue:
        """Return one figure, e.g. ``figure("rmse")`` or ``figure("ndcg@10", "full")``.

        Raises
        ------
        EvaluationError
            If it was not measured.
        """
        if reference is not None and reference not in self.references:
            raise EvaluationError(
                f"no reference row {reference!r}", expected=f"one of {', '.join(sorted(self.references))}"
            )
        figures = self.figures if reference is None else self.references[reference]
        for figure in figures:
            if (figure.metric, figure.protocol) == (metric, protocol):
                return figure
        raise EvaluationError(
            f"no figure {metric} under the protocol {protocol}",
            expected=f"one of {', '.join(f'{f.metric} ({f.protocol})' for f in figures)}",
            next_step="name the metric with its cut-off, and its protocol",
        )

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values; `from_json` gives back an equal report."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "per_user"}
        return values | {
            "split": dict(self.split),
            "figures": [asdict(figure) for figure in self.figures],
            "references": {name: [asdict(f) for f in row] for name, row in self.references.items()},
            "calibration": [asdict(row) for row in self.calibration],
            "stars": [asdict(row) for row in self.stars],
            "formulas": dict(self.formulas),
            "protocols": dict(self.protocols),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Report:
        """Rebuild a report from `to_json`'s output.

        Raises
        ------
        EvaluationError
            If keys are missing or unknown.
        """
        try:
            references = {name: _figures(row) for name, row in values["references"].items()}
            return cls(
                **{
                    **current_keys(values),
                    "figures": _figures(values["figures"]),
                    "references": references,
                    "calibration": tuple(CalibrationBin(**row) for row in values["calibration"]),
                    "stars": tuple(RatingCount(**row) for row in values["stars"]),
                }
            )
        except (KeyError, TypeError, AttributeError) as exc:
            raise EvaluationError(
                "these values are not a report's",
                expected="the JSON of Report.to_json",
                next_step="evaluate again",
            ) from exc


def _figures(rows: list[dict[str, Any]]) -> tuple[MetricValue, ...]:
    return tuple(MetricValue(**row) for row in rows)
