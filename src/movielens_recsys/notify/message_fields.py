"""The fields of messages: values of a run as text, each under a name and with its unit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from movielens_recsys.data.config import data_name
from movielens_recsys.runs.cost import format_usd

Values = Mapping[str, Any]
Fields = list[tuple[str, str]]

LOSS = "MSE + KL weight × KL, not an RMSE"


def config_fields(config: Values) -> Fields:
    """Return the fields of a run's configuration: model, data, epochs and targets."""
    data = data_name(str(get_nested(config, "data", "name")), get_nested(config, "data", "path"))
    fields = [
        ("model", str(get_nested(config, "model", "name"))),
        ("data", f"{data}, {get_nested(config, 'split', 'protocol')} split"),
        ("epochs at most", str(get_nested(config, "training", "epochs"))),
    ]
    targets = get_nested(config, "targets") or {}
    wanted = [
        f"{name} {'<' if name == 'rmse' else '>'} {value:g}" for name, value in targets.items() if value
    ]
    return [*fields, ("targets", ", ".join(wanted))] if wanted else fields


def device_fields(environment: Values) -> Fields:
    """Return the device of a run's environment, as its ``started`` event has it."""
    return [("device", f"{environment['device']}, {environment['cpus']} CPUs, {environment['machine']}")]


def best_epoch_fields(best: Values | None, config: Values) -> Fields:
    """Return RMSE and loss of the best epoch, each under its name, the RMSE next to its target."""
    if best is None:
        return []
    target = get_nested(config, "targets", "rmse")
    rmse = best["val_rmse"]
    reached = "met" if rmse is not None and target and rmse < target else "not met"
    with_target = f" (target < {target:g}: {reached})" if target else ""
    epochs = get_nested(config, "training", "epochs")
    return [
        ("val_rmse", f"{number_text(rmse)}{with_target}"),
        ("val_loss", _loss_text(best)),
        ("best epoch", f"{best['epoch']} of at most {epochs}"),
    ]


def _loss_text(epoch: Values) -> str:
    """Return an epoch's loss with its formula, which has a KL only of a model with a latent."""
    formula = "MSE, not an RMSE" if epoch.get("val_kl") == 0 else LOSS
    return f"{number_text(epoch['val_loss'])} ({formula})"


def final_metric_fields(metrics: Mapping[str, Values], best: Values | None) -> Fields:
    """Return the final metrics with their intervals, and the best epoch's loss under its own name."""
    fields = [(name, _interval_text(metric)) for name, metric in metrics.items()]
    if best is not None:
        fields.append(("val_loss", _loss_text(best)))
        fields.append(("best epoch", str(best["epoch"])))
    return fields


def target_fields(targets: Sequence[Values]) -> Fields:
    """Return one field for each target with its measured values."""
    outcomes = {True: "met", False: "missed", None: "not measured"}
    return [
        (
            f"target {row['metric']} {row['target']}",
            f"{outcomes[row['met']]}: validation {number_text(row['validation'])}, "
            f"test {number_text(row['test'])}; {row['protocol']}",
        )
        for row in targets
    ]


def cost_fields(seconds: float, price_usd_per_hour: float | None, cap_usd: float | None) -> Fields:
    """Return the time of all attempts and what it has cost."""
    cost = "$0 (own machine)"
    if price_usd_per_hour:
        spent = format_usd(seconds / 3600 * price_usd_per_hour)
        cost = f"{spent} of {format_usd(cap_usd)}, at {format_usd(price_usd_per_hour)} an hour"
    return [("duration", str(timedelta(seconds=round(seconds)))), ("cost", cost)]


def change_fields(changes: Mapping[str, Values]) -> Fields:
    """Return one field for each changed setting, with its old and new value."""
    return [
        (name, f"{_value_text(change['old'])} → {_value_text(change['new'])}")
        for name, change in changes.items()
    ]


def get_nested(values: Any, *keys: str) -> Any:
    """Return a nested value, or None where a key on the path is missing."""
    for key in keys:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def number_text(value: float | None) -> str:
    """Return a metric with four decimals; None is a value that was not finite."""
    return "not a number" if value is None else f"{value:.4f}"


def _value_text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else json.dumps(value)


def _interval_text(metric: Values) -> str:
    if metric["low"] is None or metric["high"] is None:
        return number_text(metric["value"])
    return f"{number_text(metric['value'])} [{metric['low']:.4f}, {metric['high']:.4f}]"
