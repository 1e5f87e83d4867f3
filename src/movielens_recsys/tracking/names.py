"""The trackers by name: which of them a run is synced to, and where they keep their files."""

from __future__ import annotations

from pathlib import Path

from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.settings import Settings

MLFLOW, WANDB = "MLflow", "W&B"


def trackers_for(config: ExperimentConfig, settings: Settings) -> tuple[str, ...]:
    """Return the names of the trackers of an experiment: always MLflow, and W&B if it has a project there.

    Raises
    ------
    UsageError
        The experiment has a W&B project, and the environment's mode for W&B is none that exists.
    """
    has_wandb = config.tracking.wandb_project is not None and settings.wandb_copies() != "off"
    return (MLFLOW, WANDB) if has_wandb else (MLFLOW,)


def storage_path(name: str, settings: Settings) -> Path:
    """Return where on this machine a tracker keeps its files."""
    return {MLFLOW: settings.tracking_db, WANDB: settings.wandb}[name]
