"""The metrics of a report as rows of text, for a terminal, a page or a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from movielens_recsys.evaluation.metric_name import MetricName
from movielens_recsys.evaluation.report import MetricValue, Report


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One metric with its reference values, as text; "–" where a reference model does not have it."""

    metric: str
    protocol: str
    value: str
    interval: str
    references: dict[str, str]


def report_rows(report: Report) -> list[ReportRow]:
    """Return one row per metric: rating metrics first, then each ranking protocol."""
    return [
        ReportRow(
            metric=measured.name.label,
            protocol=measured.protocol,
            value=f"{measured.value:.4f}",
            interval=interval_text(measured),
            references={name: value_in(values, measured.name) for name, values in report.references.items()},
        )
        for measured in report.metrics
    ]


def interval_text(measured: MetricValue) -> str:
    """Return the interval as text, or "–" for a metric without one.

    >>> interval_text(MetricValue("rmse", 0.93, 0.921, 0.939, "held_out", 943))
    '0.9210 to 0.9390'
    """
    if measured.low is None or measured.high is None:
        return "–"
    return f"{measured.low:.4f} to {measured.high:.4f}"


def value_in(values: Sequence[MetricValue], name: MetricName) -> str:
    """Return the value of one metric as text, or "–" if it is not among ``values``."""
    return next((f"{measured.value:.4f}" for measured in values if measured.name == name), "–")
