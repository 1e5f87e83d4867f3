"""The charts of a run's report: metrics beside reference models, training, predictions and hardware."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from movielens_recsys.evaluation.metric_definitions import HELD_OUT
from movielens_recsys.evaluation.metric_name import MetricName
from movielens_recsys.evaluation.report import Report
from movielens_recsys.web.charts import (
    IntervalRow,
    Series,
    bar_chart,
    interval_chart,
    line_chart,
    scatter_chart,
)

History = Sequence[Mapping[str, Any]]
"""One mapping per epoch with the keys of `training.history.EpochMetrics`."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with its heading, the names of its series and a note below."""

    name: str
    drawing: Markup
    legend: Sequence[str] = ()
    note: str = ""


def comparison_charts(report: Report) -> Iterator[Chart]:
    """Yield RMSE and NDCG of the run beside every reference model, best first, those that were measured."""
    measured = {value.name: value for value in report.metrics}
    wanted = [MetricName("rmse"), *(MetricName("ndcg", report.k, protocol) for protocol in ("full", "rated"))]
    for name in wanted:
        if name not in measured:
            continue
        of_run = measured[name]
        rows = [IntervalRow("this run", of_run.value, of_run.low, of_run.high, highlight=True)]
        for model, values in report.references.items():
            rows += [IntervalRow(model, v.value, v.low, v.high) for v in values if v.name == name]
        rows.sort(key=lambda row: row.value if name.better == "lower" else -row.value)
        heading = name.label if name.protocol == HELD_OUT else f"{name.label}, {name.protocol}"
        yield Chart(heading, interval_chart(rows, x_label=f"{name.label}, {name.better} is better"))


def learning_charts(history: History, best_epoch: int | None) -> Iterator[Chart]:
    """Yield a chart for each quantity that the model has; loss and RMSE never share an axis.

    A model without a latent has no KL, a sampler no learning rate, and a model in closed form no history.
    """
    if not history:
        return
    note = (
        f"The dashed line is epoch {best_epoch}, whose weights were kept." if best_epoch is not None else ""
    )
    has_kl = any(epoch["val_kl"] for epoch in history)
    loss_note = f"Loss: squared error{' + KL weight × KL' * has_kl}, not comparable with RMSE"

    def chart(heading: str, keys: Mapping[str, str], y_label: str, note: str = note) -> Iterator[Chart]:
        series = [Series(name, points) for name, key in keys.items() if (points := _points(history, key))]
        if series:
            drawing = line_chart(series, x_label="epoch", y_label=y_label, mark=best_epoch)
            yield Chart(heading, drawing, [line.name for line in series] if len(keys) > 1 else (), note)

    yield from chart("Loss", {"training": "train_loss", "validation": "val_loss"}, "loss", loss_note)
    yield from chart("Validation RMSE", {"validation": "val_rmse"}, "RMSE of ratings")
    if has_kl:
        yield from chart("Validation KL", {"validation": "val_kl"}, "KL per latent dimension")
    if any(epoch["learning_rate"] for epoch in history):
        yield from chart("Learning rate", {"learning rate": "learning_rate"}, "learning rate")


def _points(history: History, key: str) -> list[tuple[float, float]]:
    """Return a quantity by epoch, without epochs in which it was not finite."""
    return [(float(epoch["epoch"]), float(epoch[key])) for epoch in history if epoch[key] is not None]


def hardware_charts(utilization: Sequence[Mapping[str, Any]]) -> Iterator[Chart]:
    """Yield the load of CPU and GPU by epoch, if at least two measurements make a line."""
    series = []
    for name, quantity in (("CPU", "cpu_percent"), ("GPU", "gpu_percent")):
        events = [event for event in utilization if quantity in event["quantities"]]
        points = [(float(event["epoch"]), event["quantities"][quantity][0]) for event in events]
        if len(points) > 1:
            series.append(Series(name, points))
    if series:
        drawing = line_chart(series, x_label="epoch", y_label="% of the time")
        yield Chart("Load", drawing, [line.name for line in series], "Mean since the previous point.")


def prediction_charts(report: Report) -> list[Chart]:
    """Return the calibration of the predictions, and their distribution beside that of the ratings.

    None without predicted ratings. A finer scale than the charts can show is cut into bins.
    """
    if not report.rating_counts:
        return []
    low, high = report.rating_counts[0].stars, report.rating_counts[-1].stars
    points = [(row.predicted, row.actual, row.count) for row in report.calibration]
    shares = [
        (name, [getattr(row, name) / report.n_ratings for row in report.rating_counts])
        for name in ("actual", "predicted")
    ]
    return [
        Chart(
            "Calibration",
            scatter_chart(points, x_label="predicted rating", y_label="actual rating", low=low, high=high),
            note="Mean held-out rating of the predictions in each bin; area by count. On the dashed line, "
            "predicted and actual means are equal.",
        ),
        Chart(
            "Distribution of the ratings",
            bar_chart(
                [f"{row.stars:g}" for row in report.rating_counts],
                shares,
                x_label="rating",
                y_label="share of ratings",
            ),
            [name for name, _ in shares],
            "Predictions are rounded to the nearest level of the scale; means spread less than ratings do.",
        ),
    ]
