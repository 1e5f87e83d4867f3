"""Check of a run's targets against its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from movielens_recsys.evaluation.metric_name import MetricName
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.run import RunMetric


def check_targets(config: ExperimentConfig, metrics: Mapping[str, RunMetric]) -> list[dict[str, Any]]:
    """Return one row per target and ranking protocol, met or missed.

    The validation metric decides whether a target is met; the test metric is listed beside it, and beside
    the RMSE the loss, which is a different quantity. A ranking target names no protocol, so there is one row
    for each of the evaluation's protocols. ``met`` is None where nothing was measured. A loss exists on the
    validation part alone and is never compared with a target for the RMSE.
    """
    rows = []
    targets, split = config.targets, f"{config.split.protocol} split"
    if targets.loss is not None:
        rows.append(_row(MetricName("loss"), targets.loss, split, metrics))
    if targets.rmse is not None:
        row = _row(MetricName("rmse"), targets.rmse, split, metrics)
        loss = metrics.get("val_loss")
        rows.append({**row, "val_loss": loss.value if loss else None})
    for name, target in (("precision", targets.precision_at_10), ("ndcg", targets.ndcg_at_10)):
        if target is not None:
            rows += [
                _row(MetricName(name, 10, protocol), target, f"{protocol} ranking, {split}", metrics)
                for protocol in config.evaluation.protocols
            ]
    return rows


def _row(name: MetricName, target: float, protocol: str, metrics: Mapping[str, RunMetric]) -> dict[str, Any]:
    validation, test = metrics.get(str(name.on("validation"))), metrics.get(str(name.on("test")))
    met = None
    if validation is not None:
        met = validation.value > target if name.higher_is_better else validation.value < target
    return {
        "metric": str(MetricName(name.metric, name.k)),
        "target": f"{'>' if name.higher_is_better else '<'} {target:g}",
        "part": "validation",
        "protocol": protocol,
        "validation": validation.value if validation else None,
        "test": test.value if test else None,
        "met": met,
    }
