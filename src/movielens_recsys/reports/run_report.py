"""The report of one run as a single HTML file: no script, no network access, and it prints well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from movielens_recsys.evaluation.metric_definitions import HELD_OUT
from movielens_recsys.evaluation.metric_name import MetricName
from movielens_recsys.evaluation.references import POPULARITY, RANDOM
from movielens_recsys.evaluation.report import MetricValue, Report
from movielens_recsys.files import write_atomically
from movielens_recsys.reports.run_charts import (
    comparison_charts,
    hardware_charts,
    learning_charts,
    prediction_charts,
)
from movielens_recsys.runs.comparison import flatten
from movielens_recsys.schema import Finding
from movielens_recsys.training.hardware_monitor import as_rows
from movielens_recsys.web.render import render_page

BASELINE = "user+item bias"

Groups = list[tuple[str, list[tuple[str, str]]]]


@dataclass(frozen=True)
class RunPage:
    """The content of one run's report, as plain values.

    Attributes
    ----------
    title
        The run's id.
    model
        What was trained, in words.
    report
        The metrics, usually of the test part.
    command
        The command that reproduces the run.
    targets
        Rows of `experiments.targets.check_targets`, keys ``metric, target,
        part, protocol, validation, test, met``.
    history
        One mapping per epoch with the keys of `training.history.EpochMetrics`; empty for models
        solved in closed form.
    best_epoch
        The epoch whose weights were kept.
    recommendations
        Rows in their order, keys ``title``, ``predicted`` (a rating) and optionally ``genres``.
    recommended_to
        The user they are for, in words.
    ordered_by
        What they are ordered by, in words.
    findings
        Findings of the data checks.
    warnings
        Findings of preflight checks and early warnings, as in `Run.findings`.
    contingencies
        Remedies taken or suggested, as in `Run.contingencies`.
    utilization
        Hardware use, as in `Run.utilization`.
    cost
        The cost of the run, in words.
    configuration, environment, hashes
        Nested mappings of plain values.
    """

    title: str
    model: str
    report: Report
    command: str
    targets: Sequence[Mapping[str, Any]] = ()
    history: Sequence[Mapping[str, Any]] = ()
    best_epoch: int | None = None
    recommendations: Sequence[Mapping[str, Any]] = ()
    recommended_to: str = ""
    ordered_by: str = ""
    findings: Sequence[Finding] = ()
    warnings: Sequence[Mapping[str, Any]] = ()
    contingencies: Sequence[Mapping[str, Any]] = ()
    utilization: Sequence[Mapping[str, Any]] = ()
    cost: str = ""
    configuration: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    hashes: Mapping[str, Any] = field(default_factory=dict)


def render_report(page: RunPage) -> str:
    """Return the whole page as HTML; values from outside are escaped."""
    report = page.report
    return render_page(
        "movielens_recsys.reports",
        "run_report.html.j2",
        page=page,
        report=report,
        headline=headline(report),
        targets=list(_target_rows(page)),
        comparisons=list(comparison_charts(report)),
        tables=list(_metric_tables(report)),
        learning=list(learning_charts(page.history, page.best_epoch)),
        predictions=prediction_charts(report),
        hardware=as_rows(page.utilization),
        hardware_charts=list(hardware_charts(page.utilization)),
        configuration=_key_groups(page.configuration),
        provenance=[*_key_groups(page.environment, "environment"), *_key_groups(page.hashes, "hashes")],
        formulas={MetricName.parse(name).label: formula for name, formula in report.formulas.items()},
    )


def write_report(path: Path, page: RunPage) -> None:
    """Write the page, whole or not at all.

    Raises
    ------
    StorageError
        If the disk refuses.
    """
    write_atomically(path, render_report(page).encode(errors="backslashreplace"))


def headline(report: Report) -> str:
    """Return the RMSE and its difference to `BASELINE` in one sentence; without ratings, the NDCG."""
    kind = "interactions" if report.implicit else "ratings"
    rows = (
        f"On {report.n_ratings:,} held-out {kind} of {report.data_name} ({report.part} part, "
        f"{report.split['protocol']} split)"
    )
    if report.implicit:
        name = MetricName("ndcg", report.k, "full")
        ndcg = report.metric_value(name.with_cutoff, name.protocol)
        popularity = report.metric_value(name.with_cutoff, name.protocol, reference=POPULARITY)
        return (
            f"{rows} rankings of the whole catalogue have {name.label} {ndcg.value:.4f}, "
            f"{report.confidence:.0%} interval {interval_text(ndcg)}; popularity has {popularity.value:.4f}."
        )
    rmse = report.metric_value("rmse")
    words = (
        f"{rows} the error is RMSE {rmse.value:.4f}, {report.confidence:.0%} interval {interval_text(rmse)}"
    )
    if BASELINE not in report.references:
        return f"{words}."
    bias = report.metric_value("rmse", reference=BASELINE)
    change = (bias.value - rmse.value) / bias.value if bias.value > 0 else 0.0
    if abs(change) < 0.0005:
        return f"{words}: level with {BASELINE} ({bias.value:.4f})."
    direction = "better" if change > 0 else "worse"
    return f"{words}: {abs(change):.1%} {direction} than {BASELINE} ({bias.value:.4f})."


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


def _target_rows(page: RunPage) -> Iterator[dict[str, Any]]:
    """Yield the targets, each with the metric's label and the value of a random order."""
    for row in page.targets:
        metric = MetricName.parse(row["metric"])
        protocol = next(
            (name for name in page.report.protocols if row["protocol"].startswith(name)), HELD_OUT
        )
        random = [
            measured.value
            for measured in page.report.references.get(RANDOM, ())
            if (measured.metric, measured.protocol) == (metric.with_cutoff, protocol)
        ]
        yield {**row, "label": metric.label, "random": random[0] if random else None}


def _metric_tables(report: Report) -> Iterator[dict[str, Any]]:
    """Yield a table per protocol: its rule, and a row per metric with the values of all reference models."""
    for protocol, rule in report.protocols.items():
        rows = [_metric_row(value, report) for value in report.metrics if value.protocol == protocol]
        yield {"protocol": protocol, "rule": rule, "rows": rows, "ranked": protocol != HELD_OUT}


def _metric_row(measured: MetricValue, report: Report) -> dict[str, Any]:
    definition = measured.name.definition
    return {
        "metric": measured.name.label,
        "formula": definition.formula,
        "better": definition.better,
        "value": f"{measured.value:.4f}",
        "interval": interval_text(measured),
        "n_users": measured.n_users,
        "references": [value_in(values, measured.name) for values in report.references.values()],
    }


def _key_groups(values: Mapping[str, Any], name: str = "") -> Groups:
    """Return nested values as named groups of (dotted key, text), top-level plain values first."""
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    groups = [(name or "experiment", _texts(plain))] if plain else []
    nested = [(key, _texts(value)) for key, value in values.items() if isinstance(value, Mapping)]
    return groups + [(f"{name} {key}".strip(), rows) for key, rows in nested]


def _texts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(key, _text(value)) for key, value in flatten(values).items()]


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value) or "–"
    return "–" if value is None else str(value)
