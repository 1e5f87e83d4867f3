"""`Tracker`: another tool that holds copies of runs, and the names that metrics have in all of them.

A sink knows how far each of its copies has come. What it could not take when it happened, it takes the
next time it is asked; the log has everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from movielens_recsys.errors import UnknownNameError
from movielens_recsys.evaluation.metric_name import run_metric
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.events import Event
from movielens_recsys.settings import Settings

MLFLOW, WANDB = "MLflow", "W&B"


class Tracker(Protocol):
    """Holds copies of runs; one process at a time writes to the copy of a run.

    Attributes
    ----------
    notice
        What whoever asked for the copies should know of them, in one line; empty if nothing.
    """

    notice: str

    def sync(self, run_id: str) -> bool:
        """Bring the copy of a run up to date, and return whether anything was new.

        Raises
        ------
        TrackingError
            It cannot be done now; nothing is lost.
        """

    def close(self) -> None:
        """Return once all that was handed over has arrived.

        Raises
        ------
        TrackingError
            Not all of it has; the next copy hands it over again.
        """


def trackers_for(config: ExperimentConfig) -> tuple[str, ...]:
    """Return the names of the sinks that an experiment is copied to: MLflow always, W&B when asked."""
    return (MLFLOW, WANDB) if config.tracking.wandb_project else (MLFLOW,)


def storage_path(name: str, settings: Settings) -> Path:
    """Return where on this machine a sink keeps its files."""
    return {MLFLOW: settings.tracking_db, WANDB: settings.wandb}[name]


def open_tracker(name: str, settings: Settings) -> Tracker:
    """Return the sink of that name, loading its library.

    Raises
    ------
    TrackingError
        The library is not installed.
    """
    if name == MLFLOW:
        from movielens_recsys.tracking.mlflow import MLflowTracker

        return MLflowTracker(settings)
    if name == WANDB:
        from movielens_recsys.tracking.wandb import WandbTracker

        return WandbTracker(settings)
    raise UnknownNameError("sink", name, (MLFLOW, WANDB))


def metrics_of(event: Event) -> dict[str, float]:
    """Return the figures of an event under the names that every sink shows; most events have none.

    An epoch's stand under their own names, so that loss and RMSE never share one; what the machine did
    under ``utilization/``, and what the evaluation found under ``evaluation/``.

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
                f"evaluation/{run_metric(event.data['part'], name)}": figure["value"]
                for name, figure in event.data["figures"].items()
                if figure["value"] is not None
            }
    return {}


def starts(events: Sequence[Event]) -> int:
    """Return how often a run was started, resumptions not counted: each start is a copy of its own."""
    return sum(event.kind == "started" for event in events)


def since_last_start(events: Sequence[Event]) -> Sequence[Event]:
    """Return the events of the last start and of all that resumed it; what died before it is left out."""
    places = [place for place, event in enumerate(events) if event.kind == "started"]
    return events[places[-1] :] if places else events
