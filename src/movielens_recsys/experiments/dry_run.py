"""Dry run: size, duration and cost of an experiment, estimated without running it."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from movielens_recsys.data.splits.split import Split
from movielens_recsys.errors import TrainingStopped
from movielens_recsys.experiments.notices import notices
from movielens_recsys.experiments.requirements import check_run
from movielens_recsys.experiments.run_data import data_event, load_split
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.factory import build_model
from movielens_recsys.runs.store import load_config, load_run
from movielens_recsys.settings import Settings
from movielens_recsys.training.budget import budget_for
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.fit import fit
from movielens_recsys.training.history import TrainingCallback
from movielens_recsys.training.session import TrainingSession

_TIMED_STEPS = 4


def dry_run(run_id: str, settings: Settings) -> dict[str, Any]:
    """Return the data, model size, epochs, duration and cost of a run; the experiment stays as it is.

    Data are loaded and split as in the run. A few optimiser steps, or sweeps, are timed to estimate
    ``seconds_at_most``, if all epochs run, and ``usd_at_most``. Nothing is saved.

    Raises
    ------
    RecsysError
        The error that would stop the run before its first epoch.
    """
    run, config = load_run(run_id, settings), load_config(run_id, settings)
    split = load_split(config, settings)
    check_run(run, config, split)
    model = config.model.rating_model
    budget = budget_for(model, config.training)
    epochs, steps, seconds, parameters = 0, 0, 0.0, 0
    if model.fit_method in ("gradient", "mcmc"):
        rows = len(split.train)
        epochs, steps = budget.epochs, budget.sweeps_per_epoch or -(-rows // config.training.batch_rows(rows))
        seconds = _seconds_per_step(model, config.training, split) * steps * epochs
    if model.fit_method == "gradient":
        parameters = build_model(model, split.part("train"), config.training.seed).n_parameters
    return {
        "id": run_id,
        "name": run.name,
        "state": run.state,
        **data_event(split),
        "model": config.model.model_dump(mode="json"),
        "parameters": parameters,
        "epochs_at_most": epochs,
        "steps_an_epoch": steps,
        "seconds_at_most": seconds,
        "usd_at_most": seconds / 3600 * run.price_usd_per_hour,
        "notices": notices(config, split),
        "targets": config.targets.model_dump(mode="json", exclude_none=True),
    }


def _seconds_per_step(model: ModelConfig, training: TrainingConfig, split: Split) -> float:
    """Return the mean duration of the first steps or sweeps.

    The first one is left out if there are several: it may compile or warm up.
    """
    timer = _StepTimer()
    with suppress(TrainingStopped):
        fit(model, training, split, TrainingSession(callbacks=[timer], stop=timer.has_enough))
    first, last = timer.ends[min(1, len(timer.ends) - 2)], timer.ends[-1]
    return (last - first) / max(len(timer.ends) - 2, 1)


class _StepTimer(TrainingCallback):
    """Records the time of its construction and the end of each step."""

    def __init__(self) -> None:
        self.ends = [time.monotonic()]

    def on_step(self, epoch: int, step: int, steps: int) -> None:
        self.ends.append(time.monotonic())

    def has_enough(self) -> bool:
        return len(self.ends) > _TIMED_STEPS
