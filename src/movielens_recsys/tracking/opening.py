"""Opening a tracker by its name."""

from __future__ import annotations

from movielens_recsys.errors import UnknownNameError
from movielens_recsys.settings import Settings
from movielens_recsys.tracking.names import MLFLOW, WANDB
from movielens_recsys.tracking.tracker import Tracker


def open_tracker(name: str, settings: Settings) -> Tracker:
    """Return the tracker of that name, loading its library.

    Raises
    ------
    TrackingError
        The library is not installed.
    UnknownNameError
        There is no tracker of that name.
    """
    if name == MLFLOW:
        from movielens_recsys.tracking.mlflow import MLflowTracker

        return MLflowTracker(settings)
    if name == WANDB:
        from movielens_recsys.tracking.wandb import WandbTracker

        return WandbTracker(settings)
    raise UnknownNameError("tracker", name, (MLFLOW, WANDB))
