"""What running an experiment would do, found out without running it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from movielens_recsys.data.splits import Split
from movielens_recsys.experiments.config import ExperimentConfig
from movielens_recsys.experiments.registry import load, load_config
from movielens_recsys.experiments.run import count_parameters, data_event, prepare
from movielens_recsys.models.catalogue import build
from movielens_recsys.settings import Settings
from movielens_recsys.training.loop import fit

_TIMED_STEPS = 4


def rehearse(run_id: str, settings: Settings) -> dict[str, Any]:
    """Return what running the experiment would do; the experiment stays as it is.

    Data are loaded and split as the run would, and a few optimiser steps are timed for the estimate
    ``seconds_at_most``, in which all epochs run, and ``usd_at_most``. None of it is kept.

    Raises
    ------
    RecsysError
        What would stop the run before its first epoch.
    """
    run, config = load(run_id, settings), load_config(run_id, settings)
    split = prepare(config, settings)
    recommender = build(config.model, split.part("train"), config.training.seed)
    training = config.training
    steps = -(-len(split.train) // training.batch_size)
    parameters = count_parameters(recommender)
    neural = parameters > 0
    seconds = _seconds_a_step(config, split) * steps * training.epochs if neural else 0.0
    return {
        "id": run_id,
        "state": run.state,
        **data_event(split),
        "model": config.model.model_dump(mode="json"),
        "parameters": parameters,
        "epochs_at_most": training.epochs if neural else 0,
        "steps_an_epoch": steps if neural else 0,
        "seconds_at_most": seconds,
        "usd_at_most": seconds / 3600 * run.price_usd_per_hour,
        "targets": config.targets.model_dump(mode="json", exclude_none=True),
    }


def _seconds_a_step(config: ExperimentConfig, split: Split) -> float:
    """Time one epoch over a few batches of the training rows."""
    size = config.training.batch_size
    small = replace(split, train=split.train[: _TIMED_STEPS * size], validation=split.validation[:size])
    training = config.training.model_copy(update={"epochs": 1, "early_stopping": None})
    _, result = fit(config.model, training, small)
    return result.seconds / -(-len(small.train) // size)
