"""The report of one run as a single HTML file: no script, nothing fetched, readable on paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from movielens_recsys.evaluation.metric_name import MetricName
from movielens_recsys.evaluation.metrics import HELD_OUT
from movielens_recsys.evaluation.references import RANDOM
from movielens_recsys.evaluation.report import MetricValue, Report
from movielens_recsys.evaluation.table import interval_text
from movielens_recsys.files import write_atomically
from movielens_recsys.schema import Finding
from movielens_recsys.training.hardware_monitor import as_rows
from movielens_recsys.web.charts import (
    IntervalRow,
    Series,
    bar_chart,
    interval_chart,
    line_chart,
    scatter_chart,
)

BASELINE = "user+item bias"


@dataclass(frozen=True)
class RunPage:
    """What the report of one run shows, as plain values.

    Attributes
    ----------
    title
        The run's id.
    model
        What was trained, in words.
    report
        The figures, usually of the test part.
    command
        What to type to get the same figures again.
    targets
        Rows of the target gate, keys ``metric, target, part, protocol, validation, test, met``.
    history
        One mapping per epoch with the keys of `training.records.EpochRecord`; empty for models
        solved in closed form.
    best_epoch
        The epoch whose weights were kept.
    recommendations
        Rows in their order, keys ``title``, ``predicted`` (stars) and optionally ``genres``.
    recommended_to
        Who they are for, in words.
    findings
        What the data checks saw.
    warnings
        What guards and early warnings found, as `Run.findings` holds it.
    contingencies
        What was done about it or suggested, as `Run.contingencies` holds it.
    utilization
        What the machine did, as `Run.utilization` holds it.
    cost
        What the run has cost, in words.
    configuration, environment, hashes
        Nested mappings of plain values, shown as they are.
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
    findings: Sequence[Finding] = ()
    warnings: Sequence[Mapping[str, Any]] = ()
    contingencies: Sequence[Mapping[str, Any]] = ()
    utilization: Sequence[Mapping[str, Any]] = ()
    cost: str = ""
    configuration: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    hashes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with its own name, and the names of its lines."""

    name: str
    drawing: Markup
    legend: Sequence[str] = ()
    note: str = ""


def render_report(page: RunPage) -> str:
    """Return the whole page as HTML; every text that came from outside is escaped."""
    environment = Environment(
        loader=PackageLoader("movielens_recsys.reports", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("run_report.html.j2")
    return template.render(
        page=page,
        report=page.report,
        verdict=headline(page.report),
        standings=list(_standings(page.report)),
        tables=list(_tables(page.report)),
        learning=list(_learning(page)),
        machine=as_rows(page.utilization),
        busy=list(_busy(page)),
        predictions=_predictions(page.report),
        configuration=_groups(page.configuration),
        origin=[*_groups(page.environment, "environment"), *_groups(page.hashes, "hashes")],
        formulas={MetricName.parse(name).label: words for name, words in page.report.formulas.items()},
        targets=list(_targets(page)),
    )


def write_report(path: Path, page: RunPage) -> None:
    """Write the page, whole or not at all.

    Raises
    ------
    StorageError
        If the disk refuses.
    """
    write_atomically(path, render_report(page).encode())


def headline(report: Report) -> str:
    """Return what the figures say, in one sentence."""
    rmse = report.metric_value("rmse")
    words = (
        f"On {report.n_ratings:,} held-out ratings of {report.data_name} ({report.part} part, "
        f"{report.split['protocol']} split) the error is RMSE {rmse.value:.4f} stars, "
        f"{report.confidence:.0%} interval {interval_text(rmse)}"
    )
    if BASELINE not in report.references:
        return f"{words}."
    bias = report.metric_value("rmse", reference=BASELINE)
    change = (bias.value - rmse.value) / bias.value if bias.value > 0 else 0.0
    if abs(change) < 0.0005:
        return f"{words}: level with {BASELINE} ({bias.value:.4f})."
    direction = "better" if change > 0 else "worse"
    return f"{words}: {abs(change):.1%} {direction} than {BASELINE} ({bias.value:.4f})."


def _targets(page: RunPage) -> Iterator[dict[str, Any]]:
    """Yield the rows of the gate, each with its figure's name and what a random order gets."""
    for row in page.targets:
        metric = MetricName.parse(row["metric"])
        protocol = next(
            (name for name in page.report.protocols if row["protocol"].startswith(name)), HELD_OUT
        )
        chance = [
            value.value
            for value in page.report.references.get(RANDOM, ())
            if (value.metric, value.protocol) == (metric.with_cutoff, protocol)
        ]
        yield {**row, "label": metric.label, "random": chance[0] if chance else None}


def _standings(report: Report) -> Iterator[Chart]:
    wanted = [("rmse", HELD_OUT), (f"ndcg@{report.k}", "full"), (f"ndcg@{report.k}", "rated")]
    measured = {(figure.metric, figure.protocol): figure for figure in report.metrics}
    for metric, protocol in wanted:
        if (metric, protocol) not in measured:
            continue
        own = measured[metric, protocol]
        rows = [IntervalRow("this run", own.value, own.low, own.high, own=True)]
        for name, row in report.references.items():
            rows += [IntervalRow(name, f.value, f.low, f.high) for f in row if _same(f, own)]
        metric_label, better = own.name.label, own.name.better
        rows.sort(key=lambda row: row.value if better == "lower" else -row.value)
        name = f"{metric_label}, {protocol}" if protocol != HELD_OUT else metric_label
        yield Chart(name, interval_chart(rows, x_label=f"{metric_label}, {better} is better"))


def _tables(report: Report) -> Iterator[dict[str, Any]]:
    """Yield one table per protocol: its rule, and rows of a figure beside every reference."""
    for protocol, rule in report.protocols.items():
        rows = [
            {
                "metric": figure.name.label,
                "formula": figure.name.definition.formula,
                "better": figure.name.better,
                "value": f"{figure.value:.4f}",
                "interval": interval_text(figure),
                "n_users": figure.n_users,
                "references": [_beside(row, figure) for row in report.references.values()],
            }
            for figure in report.metrics
            if figure.protocol == protocol
        ]
        yield {"protocol": protocol, "rule": rule, "rows": rows}


def _learning(page: RunPage) -> Iterator[Chart]:
    """Yield a chart for each quantity of the history; loss and RMSE never share an axis."""
    if not page.history:
        return
    loss = "Loss: squared error + KL weight × KL, not comparable with RMSE"
    yield _by_epoch(page, "Loss", {"training": "train_loss", "validation": "val_loss"}, "loss", loss)
    yield _by_epoch(page, "Validation RMSE", {"validation": "val_rmse"}, "RMSE in stars")
    if any(record["val_kl"] for record in page.history):
        yield _by_epoch(page, "Validation KL", {"validation": "val_kl"}, "KL per latent dimension")
    yield _by_epoch(page, "Learning rate", {"learning rate": "learning_rate"}, "learning rate")


def _busy(page: RunPage) -> Iterator[Chart]:
    """Yield how busy processors and card were, once there is a line to draw."""
    lines = []
    for words, name in (("processors", "cpu_percent"), ("card", "gpu_percent")):
        events = [event for event in page.utilization if name in event["quantities"]]
        points = [(float(event["epoch"]), event["quantities"][name][0]) for event in events]
        if len(points) > 1:
            lines.append(Series(words, points))
    if lines:
        drawing = line_chart(lines, x_label="epoch", y_label="% of the time")
        names = [line.name for line in lines]
        yield Chart("Busy", drawing, names, "Mean since the point before.")


def _by_epoch(page: RunPage, name: str, keys: Mapping[str, str], y_label: str, note: str = "") -> Chart:
    series = [
        Series(words, [(float(record["epoch"]), float(record[key])) for record in page.history])
        for words, key in keys.items()
    ]
    drawing = line_chart(series, x_label="epoch", y_label=y_label, mark=page.best_epoch)
    kept = (
        f"The dashed line is epoch {page.best_epoch}, whose weights were kept."
        if page.best_epoch is not None
        else ""
    )
    return Chart(name, drawing, list(keys) if len(keys) > 1 else (), note or kept)


def _predictions(report: Report) -> list[Chart]:
    low, high = report.rating_counts[0].stars, report.rating_counts[-1].stars
    points = [(row.predicted, row.actual, row.count) for row in report.calibration]
    shares = [
        (name, [getattr(row, name) / report.n_ratings for row in report.rating_counts])
        for name in ("actual", "predicted")
    ]
    return [
        Chart(
            "Calibration",
            scatter_chart(points, x_label="predicted stars", y_label="actual stars", low=low, high=high),
            note="Mean held-out rating of the predictions in each bin; area by count. On the dashed line, "
            "what is predicted is what is given.",
        ),
        Chart(
            "Ratings by star",
            bar_chart(
                [f"{row.stars:g}" for row in report.rating_counts],
                shares,
                x_label="stars",
                y_label="share of ratings",
            ),
            [name for name, _ in shares],
            "Predictions are rounded to the nearest legal rating; means spread less than ratings do.",
        ),
    ]


def _groups(values: Mapping[str, Any], name: str = "") -> list[tuple[str, list[tuple[str, str]]]]:
    """Return nested values as named groups of (dotted key, text); plain ones at the top form the first."""
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    groups = [(name or "experiment", list(_flat(plain)))] if plain else []
    nested = [(key, list(_flat(value))) for key, value in values.items() if isinstance(value, Mapping)]
    return groups + [(f"{name} {key}".strip(), rows) for key, rows in nested]


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{key}", ", ".join(str(part) for part in value) or "–"
        else:
            yield f"{prefix}{key}", "–" if value is None else str(value)


def _beside(row: Sequence[MetricValue], own: MetricValue) -> str:
    return next((f"{figure.value:.4f}" for figure in row if _same(figure, own)), "–")


def _same(figure: MetricValue, other: MetricValue) -> bool:
    return (figure.metric, figure.protocol) == (other.metric, other.protocol)
