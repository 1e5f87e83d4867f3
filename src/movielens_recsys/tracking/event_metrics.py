"""What every tracker shows of the event log: the metrics of each event, since the run's last start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from movielens_recsys.evaluation.metric_name import run_metric_name
from movielens_recsys.runs.events import Event


def metrics_of(event: Event) -> dict[str, float]:
    """Return the metrics of an event under the names that every tracker shows; most events have none.

    An epoch's metrics keep their own names, so that loss and RMSE never share one. Hardware utilisation is
    under ``utilization/``, the evaluation under ``evaluation/``.

    >>> metrics_of(Event(7, "", "epoch", {"epoch": 2, "val_rmse": 0.95, "val_loss": 0.91, "improved": True}))
    {'val_rmse': 0.95, 'val_loss': 0.91}
    """
    match event.kind:
        case "epoch":
            return {name: value for name, value in event.data.items() if isinstance(value, float)}
        case "utilization":
            return {
                f"utilization/{name}_{key}": float(value)
                for name, summary in event.data["quantities"].items()
                for key, value in zip(("mean", "max"), summary, strict=True)
            }
        case "evaluated":
            return {
                f"evaluation/{run_metric_name(event.data['part'], name)}": metric["value"]
                for name, metric in event.data["figures"].items()
                if metric["value"] is not None
            }
    return {}


def count_starts(events: Sequence[Event]) -> int:
    """Return how often a run was started, resumptions not counted: each start has a copy of its own."""
    return sum(event.kind == "started" for event in events)


def since_last_start(events: Sequence[Event]) -> Sequence[Event]:
    """Return the events of the last start and of its resumptions; those of an earlier start are left out."""
    positions = [position for position, event in enumerate(events) if event.kind == "started"]
    return events[positions[-1] :] if positions else events


def time_span(events: Sequence[Event]) -> tuple[float, float]:
    """Return when a run was last started, and when it would have ended without a pause, in Unix seconds.

    The difference is the time that processes have worked on it since, by the meter, so that neither the time
    before the start nor that between two attempts counts, nor a clock that is set in between. Of a run that
    has not started, both are the time of its creation.
    """
    recent = since_last_start(events)
    start = datetime.fromisoformat(recent[0].time).timestamp()
    readings = [event.data["run_seconds"] for event in recent if "run_seconds" in event.data]
    if readings:
        return start, start + max(0.0, readings[-1] - readings[0])
    if not count_starts(events):
        return start, start
    last = [event.time for event in recent if event.kind != "archived"][-1]
    return start, max(start, datetime.fromisoformat(last).timestamp())
