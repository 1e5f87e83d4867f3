"""Experiments side by side on a terminal: what differs, and how they compare on the test part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from movielens_recsys.cli.experiment.tables import NOTHING, as_text, targets_table
from movielens_recsys.cli.fitted_table import FittedTable
from movielens_recsys.cli.output import console, warn

SHOWN_METRICS = ("rmse", "mae", "ndcg", "precision", "recall", "coverage")
"""Metrics of the short comparison, of the test part where it was measured."""


def print_comparison(result: Mapping[str, Any], *, everything: bool = False) -> None:
    """Print differing configuration keys, metrics and costs, with a column per experiment.

    Parameters
    ----------
    everything
        Show every metric of every part, not only `SHOWN_METRICS`.
    """
    names = _column_names(result["ids"])
    for name, run_id, state in zip(names, result["ids"], result["states"], strict=True):
        console.print(f"{name}  {run_id}  {state}", highlight=False, markup=False)
    configuration = [[key, *map(_value, row)] for key, row in result["configuration"].items()]
    console.print()
    if configuration:
        console.print(FittedTable("Differences", ["key", *names], configuration))
    console.print(_metrics_table(result, names, everything))
    for run_id, checks in result["targets"].items():
        console.print(f"[bold]{run_id}[/bold]", highlight=False)
        console.print(targets_table(checks))
    for warning in result["warnings"]:
        warn(warning)


def _column_names(ids: Sequence[str]) -> list[str]:
    """Return A, B, ... and numbers after Z: ids are too long for the heads of columns."""
    return [*ascii_uppercase, *map(str, range(len(ascii_uppercase) + 1, len(ids) + 1))][: len(ids)]


def _metrics_table(result: Mapping[str, Any], names: Sequence[str], everything: bool) -> FittedTable:
    from movielens_recsys.runs.cost import format_usd
    from movielens_recsys.runs.run import RunMetric

    metrics = {
        name: [None if metric is None else RunMetric(**metric) for metric in row]
        for name, row in result["figures"].items()
    }
    shown = list(metrics) if everything else list(_shown(metrics))
    costs = [[name, *map(format_usd, row)] for name, row in result["costs"].items()]
    rows = [[name, *map(as_text, metrics[name])] for name in shown]
    narrow = [[name, *(_without_interval(metric) for metric in metrics[name])] for name in shown]
    hidden = len(metrics) - len(shown)
    notes = [*_relevance(result["relevance"], names)]
    notes += [f"--all shows {hidden} more metrics"] if hidden else []
    caption = "\n".join(notes)
    return FittedTable(
        "Metrics [with interval]", ["metric", *names], rows + costs, caption=caption, narrow=narrow + costs
    )


def _relevance(texts: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """Yield what is relevant in the ranking metrics, and for which experiments where they differ."""
    for text in dict.fromkeys(filter(None, texts)):
        those = [name for name, other in zip(names, texts, strict=True) if other == text]
        yield text if len(those) == len(texts) else f"{', '.join(those)}: {text}"


def _shown(metrics: Mapping[str, Any]) -> Iterator[str]:
    """Yield the metrics of the short comparison; of one without a test part yet, the validation part."""
    from movielens_recsys.evaluation.metric_name import MetricName

    for text in metrics:
        name = MetricName.parse(text)
        in_its_place = name.part == "validation" and str(name.on("test")) not in metrics
        if text == "val_rmse" or (name.metric in SHOWN_METRICS and (name.part == "test" or in_its_place)):
            yield text


def _without_interval(metric: Any) -> str:
    return NOTHING if metric is None else f"{metric.value:.4f}"


def _value(value: object) -> str:
    return NOTHING if value is None else str(value)
