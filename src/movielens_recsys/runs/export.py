"""Experiments as one JSON document, or as a table with one row each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

from movielens_recsys.runs.comparison import flatten, metric_order
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.search import COSTS

Rows = Sequence[tuple[Run, ExperimentConfig]]
_FACTS = (
    *("id", "name", "template", "state", "created", "ended", "seconds", "price_usd_per_hour", "cap_usd"),
    *(*COSTS, "best_epoch", "config_hash"),
)


def as_json(rows: Rows) -> str:
    """Return the whole state, the metric history and the configuration of each experiment."""
    values = [{**run.to_json(), "config": config.model_dump(mode="json")} for run, config in rows]
    return json.dumps(values, indent=2) + "\n"


def as_csv(rows: Rows) -> str:
    """Return one row per experiment: facts, hashes, ``config.*``, and each metric with its interval."""
    records = [_row(run, config) for run, config in rows]
    names = sorted({name for run, _ in rows for name in run.metrics}, key=metric_order)
    keys = dict.fromkeys(key for row in records for key in row if not key.startswith("figure."))
    columns = [*keys, *(f"figure.{name}{end}" for name in names for end in ("", ".low", ".high"))]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def _row(run: Run, config: ExperimentConfig) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(run, name) for name in _FACTS}
    row["tags"] = " ".join(run.tags)
    row["data_hash"], row["split_hash"] = run.data.get("hash", ""), run.split.get("hash", "")
    settings = config.model_dump(mode="json", exclude={"name", "template", "tags"})
    row.update({f"config.{key}": value for key, value in flatten(settings).items()})
    for name, metric in run.metrics.items():
        row[f"figure.{name}"] = metric.value
        row[f"figure.{name}.low"], row[f"figure.{name}.high"] = metric.low, metric.high
    return row


FORMATS: dict[str, Callable[[Rows], str]] = {"json": as_json, "csv": as_csv}
