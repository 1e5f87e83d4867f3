"""The target gate: what the plan asks of a run, beside what the run measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from movielens_recsys.runs.config import Targets
from movielens_recsys.runs.run import RunMetric

_RANKING_PROTOCOLS = ("full", "rated")
_SMALLER_IS_BETTER = {"loss", "rmse"}


def check_targets(
    targets: Targets, figures: Mapping[str, RunMetric], split_protocol: str
) -> list[dict[str, Any]]:
    """Return one row per target and ranking protocol, met or missed.

    A target is judged on the validation part, as the plan does; the test figure stands beside it,
    and beside the RMSE the loss, which is a different quantity. Ranking targets, whose plan names no
    protocol, are judged under each. ``met`` is None where nothing was measured. A loss exists on the
    validation part alone, and is never compared with a target of the RMSE.
    """
    rows = []
    if targets.loss is not None:
        rows.append(_row("loss", targets.loss, "loss", f"{split_protocol} split", figures))
    if targets.rmse is not None:
        row = _row("rmse", targets.rmse, "rmse", f"{split_protocol} split", figures)
        loss = figures.get("val_loss")
        rows.append({**row, "val_loss": loss.value if loss else None})
    for name in ("precision_at_10", "ndcg_at_10"):
        target = getattr(targets, name)
        if target is not None:
            rows += [
                _row(
                    name, target, f"{name}_{protocol}", f"{protocol} ranking, {split_protocol} split", figures
                )
                for protocol in _RANKING_PROTOCOLS
            ]
    return rows


def _row(
    metric: str, target: float, figure: str, protocol: str, figures: Mapping[str, RunMetric]
) -> dict[str, Any]:
    validation, test = figures.get(f"val_{figure}"), figures.get(f"test_{figure}")
    met, smaller = None, metric in _SMALLER_IS_BETTER
    if validation is not None:
        met = validation.value < target if smaller else validation.value > target
    return {
        "metric": metric,
        "target": f"{'<' if smaller else '>'} {target:g}",
        "part": "validation",
        "protocol": protocol,
        "validation": validation.value if validation else None,
        "test": test.value if test else None,
        "met": met,
    }
