"""Differences between experiments: configurations, metrics and targets side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from movielens_recsys.evaluation.metric_name import MetricName
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.search import COSTS, metric_of


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values under dotted keys.

    >>> flatten({"model": {"name": "popularity"}})
    {'model.name': 'popularity'}
    """
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def compare_runs(runs: Sequence[Run], configs: Sequence[ExperimentConfig]) -> dict[str, Any]:
    """Return what differs between experiments, as plain JSON values.

    Returns
    -------
    dict
        ``ids``, ``states``, ``configuration`` (only the keys that differ, each with its value per run),
        ``figures`` (each metric with its value per run; loss and RMSE in separate rows), ``relevance`` (in
        words), ``costs`` (dollars per run), ``targets`` and ``warnings`` (reasons why metrics must not be
        ranked, if any).
    """
    flat = [flatten(config.model_dump(mode="json", exclude={"name", "description"})) for config in configs]
    keys = dict.fromkeys(key for values in flat for key in values)
    rows = {key: [values.get(key) for values in flat] for key in keys}
    names = dict.fromkeys(name for run in runs for name in run.metrics)
    metrics = [run.to_json()["figures"] for run in runs]
    figures = {name: [found.get(name) for found in metrics] for name in sorted(names, key=metric_order)}
    return {
        "ids": [run.id for run in runs],
        "states": [run.state for run in runs],
        "configuration": {key: row for key, row in rows.items() if any(value != row[0] for value in row)},
        "figures": figures,
        "relevance": [run.relevance for run in runs],
        "costs": {name: [metric_of(run, name) for run in runs] for name in COSTS},
        "targets": {run.id: list(run.target_checks) for run in runs if run.target_checks},
        "warnings": _warnings(runs, configs),
    }


def metric_order(name: str) -> tuple[int, int, str]:
    """Return the sort key of a metric's run name; see `MetricName.sort_key`."""
    return MetricName.parse(name).sort_key


def _warnings(runs: Sequence[Run], configs: Sequence[ExperimentConfig]) -> list[str]:
    warnings = []
    with_data = [run for run in runs if run.data]
    if len({run.data["hash"] for run in with_data}) > 1:
        warnings.append("the data differ: these metrics say nothing about which run is better")
    elif len({run.split["hash"] for run in with_data}) > 1:
        warnings.append("the splits differ: these metrics say nothing about which run is better")
    # The configuration may leave the threshold to the scale; an evaluated run knows what it was, and before
    # that it is no difference.
    thresholds = {
        config.evaluation.relevance_threshold if run.relevance_threshold is None else run.relevance_threshold
        for run, config in zip(runs, configs, strict=True)
    }
    if len(thresholds - {None}) > 1:
        warnings.append("evaluation.relevance_threshold differs: ranking metrics are not comparable")
    if len({config.training.kl_weight for config in configs}) > 1:
        warnings.append("training.kl_weight differs: losses are not comparable, RMSE is")
    return warnings
