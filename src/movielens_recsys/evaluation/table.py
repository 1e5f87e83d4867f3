"""The figures as plain rows, for a terminal, a page or a document."""

from __future__ import annotations

from dataclasses import dataclass

from movielens_recsys.evaluation.report import MetricValue, Report


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One figure beside its reference rows, as text; a reference that has no such figure is "–"."""

    metric: str
    protocol: str
    value: str
    interval: str
    references: dict[str, str]


def report_rows(report: Report) -> list[ReportRow]:
    """Return one row per figure, rating figures first, then each ranking protocol."""
    return [
        ReportRow(
            metric=figure.name.label,
            protocol=figure.protocol,
            value=f"{figure.value:.4f}",
            interval=interval_text(figure),
            references={name: _value_in(row, figure) for name, row in report.references.items()},
        )
        for figure in report.figures
    ]


def interval_text(figure: MetricValue) -> str:
    """Return the interval as text, or "–" for a figure without one.

    >>> interval_text(MetricValue("rmse", 0.93, 0.921, 0.939, "held_out", 943))
    '0.9210 to 0.9390'
    """
    if figure.low is None or figure.high is None:
        return "–"
    return f"{figure.low:.4f} to {figure.high:.4f}"


def _value_in(row: tuple[MetricValue, ...], figure: MetricValue) -> str:
    for other in row:
        if (other.metric, other.protocol) == (figure.metric, figure.protocol):
            return f"{other.value:.4f}"
    return "–"
