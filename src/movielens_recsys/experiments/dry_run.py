"""What running an experiment would do, found out without running it."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from movielens_recsys.data.splits.split import Split
from movielens_recsys.errors import TrainingStopped
from movielens_recsys.experiments.execute import data_event, load_split
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
    """Return what running the experiment would do; the experiment stays as it is.

    Data are loaded and split as the run would, and a few optimiser steps, or sweeps, are timed for the
    estimate ``seconds_at_most``, in which all epochs run, and ``usd_at_most``. None of it is kept.

    Raises
    ------
    RecsysError
        What would stop the run before its first epoch.
    """
    run, config = load_run(run_id, settings), load_config(run_id, settings)
    split = load_split(config, settings)
    model = config.model.rating_model
    course = budget_for(model, config.training)
    epochs, steps, seconds, parameters = 0, 0, 0.0, 0
    if model.fit_method in ("gradient", "mcmc"):
        rows = len(split.train)
        epochs, steps = course.epochs, course.sweeps_per_epoch or -(-rows // config.training.batch_rows(rows))
        seconds = _seconds_a_step(model, config.training, split) * steps * epochs
    if model.fit_method == "gradient":
        parameters = build_model(model, split.part("train"), config.training.seed).n_parameters
    return {
        "id": run_id,
        "state": run.state,
        **data_event(split),
        "model": config.model.model_dump(mode="json"),
        "parameters": parameters,
        "epochs_at_most": epochs,
        "steps_an_epoch": steps,
        "seconds_at_most": seconds,
        "usd_at_most": seconds / 3600 * run.price_usd_per_hour,
        "targets": config.targets.model_dump(mode="json", exclude_none=True),
    }


def _seconds_a_step(model: ModelConfig, training: TrainingConfig, split: Split) -> float:
    """Time the first steps or sweeps, from the end of the first on where there are several.

    The first may have to compile.
    """
    clock = _Clock()
    with suppress(TrainingStopped):
        fit(model, training, split, TrainingSession(callbacks=[clock], stop=clock.has_enough))
    first, last = clock.ends[min(1, len(clock.ends) - 2)], clock.ends[-1]
    return (last - first) / max(len(clock.ends) - 2, 1)


class _Clock(TrainingCallback):
    """Keeps when it was made, and when each step ended."""

    def __init__(self) -> None:
        self.ends = [time.monotonic()]

    def on_step(self, epoch: int, step: int, steps: int) -> None:
        self.ends.append(time.monotonic())

    def has_enough(self) -> bool:
        return len(self.ends) > _TIMED_STEPS
