"""Fitting a model of any family: saved as it goes, on one device or several."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace

import numpy as np
import torch

from movielens_recsys.data.splits.split import Split
from movielens_recsys.errors import MainMemoryError, TrainingError, TrainingStopped
from movielens_recsys.models.base import Model
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.bayesian.sampler import GibbsSampler
from movielens_recsys.models.composite import RatingRankingModel
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.factory import build_model, check_learnable
from movielens_recsys.models.networks.recommender import NeuralRecommender
from movielens_recsys.training.allocation import allocation_errors
from movielens_recsys.training.budget import budget_for
from movielens_recsys.training.checkpoints import Checkpoints
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.distributed import LocalCluster, WorkerProcesses, fabric_for
from movielens_recsys.training.gradient_trainer import GradientTrainer
from movielens_recsys.training.history import FitResult
from movielens_recsys.training.mcmc_loop import fit_mcmc
from movielens_recsys.training.memory_estimate import gibibytes, network_bytes
from movielens_recsys.training.session import DEFAULT_SESSION, TrainingSession


def fit(
    model: ModelConfig,
    training: TrainingConfig,
    split: Split,
    session: TrainingSession = DEFAULT_SESSION,
) -> tuple[Model, FitResult]:
    """Fit ``model`` to the training rows of ``split``; its validation rows choose the epoch.

    Neural models end with the weights of their best epoch, MCMC models with their posterior samples. The
    same configuration and split give the same weights, bit for bit, on one machine and number of devices and
    threads, and however often it was interrupted.

    Parameters
    ----------
    training
        The planned configuration: checkpoints belong to it, and reported losses have its KL weight.
    session
        Where to save and report, how many devices to use, whether to resume and when to stop.

    Raises
    ------
    ModelError
        The data are interactions without ratings, and the model needs ratings.
    TrainingStopped
        ``session.stop`` returned True; a resumed fit continues from this very step.
    UnstableTrainingError
        A step's loss or gradient is not finite, or the loss has jumped. The weights are as they were before,
        and the last checkpoint is good.
    DeviceMemoryError
        The device has no memory for a batch.
    MainMemoryError
        Main memory is too small for the model, whatever the batch.
    TrainingError
        If there are no validation rows to choose by, the device is missing, the model's equations have no
        solution, or the checkpoint is of another configuration or split.
    """
    check_learnable(model, split.ratings)
    try:
        with allocation_errors(lambda words: _too_large(model, training, split, words)):
            return _fit(model, training, split, session)
    except (np.linalg.LinAlgError, torch.linalg.LinAlgError) as exc:  # type: ignore[attr-defined]
        raise TrainingError(
            f"the equations of {model.name} have no solution ({' '.join(str(exc).split())[:120]})",
            expected="ratings that determine it, or a penalty that does",
            next_step="increase its regularization",
        ) from exc


def _too_large(model: ModelConfig, training: TrainingConfig, split: Split, words: str) -> MainMemoryError:
    n_users, n_items = split.ratings.n_users, split.ratings.n_items
    sizes = (len(split.train), n_users, n_items)
    needed = max(
        network_bytes(model, training, *sizes), model.sampling_bytes(*sizes), model.fit_bytes(*sizes)
    )
    estimate = f"about {gibibytes(needed)} of main memory" if needed else "more main memory"
    settings = " or ".join(f"model.{name}" for name in model.settings_of_memory())
    return MainMemoryError(
        f"out of memory in the fit of {model.name} to {n_users:,} users and {n_items:,} items ({words})",
        expected=estimate,
        next_step=f"use a larger machine{f', or lower {settings}' if settings else ''}",
    )


def _fit(
    model: ModelConfig, training: TrainingConfig, split: Split, session: TrainingSession
) -> tuple[Model, FitResult]:
    if model.ranking_model is not model.rating_model:
        return _fit_composite(model, training, split, session)
    if isinstance(model, BayesianMFConfig):
        return fit_mcmc(
            GibbsSampler(model, split.part("train"), training.seed),
            split,
            _checkpoints(model, training, split, session),
            session,
            sweeps_per_epoch=budget_for(model, training).sweeps_per_epoch,
            checkpoint_every_s=training.checkpoint_every_s,
        )
    started = time.monotonic()
    recommender = build_model(model, split.part("train"), training.seed)
    if not isinstance(recommender, NeuralRecommender):
        reason = "solved in closed form" if model.fit_method == "closed_form" else "fitted to its end"
        return recommender, FitResult((), None, reason, time.monotonic() - started)
    if len(split.validation) == 0:
        raise TrainingError(
            "the split has no validation rows",
            expected="some, to choose the best epoch by",
            next_step="set the split's validation share above 0",
        )
    worker_arguments = (model, training, split, session.for_worker())
    with WorkerProcesses(session.devices, _train_worker, *worker_arguments) as workers:
        checkpoints = _checkpoints(model, training, split, session)
        result = _train(recommender, training, split, checkpoints, session, workers.cluster)
    return recommender, result


def _fit_composite(
    model: ModelConfig, training: TrainingConfig, split: Split, session: TrainingSession
) -> tuple[Model, FitResult]:
    """Fit the rating model as any other, then the ranking model, which takes no epochs."""
    rating_model, result = fit(model.rating_model, training, split, session)
    started = time.monotonic()
    ranking_model = build_model(model.ranking_model, split.part("train"), training.seed)
    seconds = result.seconds + time.monotonic() - started
    return RatingRankingModel(model, rating_model, ranking_model), replace(result, seconds=seconds)


def _train_worker(
    model: ModelConfig,
    training: TrainingConfig,
    split: Split,
    session: TrainingSession,
    cluster: LocalCluster,
) -> None:
    """Train as a rank above 0, which reads checkpoints, writes none and reports nothing."""
    recommender = build_model(model, split.part("train"), training.seed)
    assert isinstance(recommender, NeuralRecommender)
    checkpoints = _checkpoints(model, training, split, session, read_only=True)
    _train(recommender, training, split, checkpoints, session, cluster)


def _train(
    recommender: NeuralRecommender,
    training: TrainingConfig,
    split: Split,
    checkpoints: Checkpoints,
    session: TrainingSession,
    cluster: LocalCluster | None,
) -> FitResult:
    """Train ``recommender`` to its end as one of the ranks; all make the same decisions."""
    adjusted = session.adjusted or training
    fabric = fabric_for(adjusted, cluster)
    trainer = GradientTrainer(recommender, adjusted, split, fabric, reported_kl_weight=training.kl_weight)
    if not session.resume:
        checkpoints.clear()
    saved = checkpoints.latest() if session.resume else None
    if saved is not None:
        trainer.restore(*saved)

    def save() -> None:
        checkpoints.save(*trainer.state())
        for callback in session.callbacks:
            callback.on_checkpoint(trainer.epoch, trainer.step)

    while not trainer.done:
        finished = trainer.train_epoch(session, save)
        if finished:
            metrics, improved = trainer.close_epoch()
            # Events and the best weights come before the checkpoint: a crash in between repeats the epoch
            # with the same metrics. The other way round, a resumed run would never report it.
            for callback in session.callbacks:
                callback.on_epoch(metrics, improved=improved)
            if improved:
                checkpoints.save_best(trainer.best.weights, metrics.to_json())
        save()
        if not finished or (not trainer.done and trainer.broadcast_decision(session.stop())[0]):
            raise TrainingStopped(
                f"training was stopped in epoch {trainer.epoch} after step {trainer.step}",
                next_step="resume it",
            )
    recommender.network.load_state_dict(trainer.best.weights)
    recommender.network.eval()
    with torch.inference_mode():
        recommender.network.cache_encodings()
    return FitResult(tuple(trainer.history), trainer.best.epoch, trainer.best.reason, trainer.spent_s)


def _checkpoints(
    model: ModelConfig,
    training: TrainingConfig,
    split: Split,
    session: TrainingSession,
    *,
    read_only: bool = False,
) -> Checkpoints:
    return Checkpoints(
        session.checkpoint_folder,
        _fingerprint(model, training, split),
        ensure_owner=session.ensure_owner,
        read_only=read_only,
    )


def _fingerprint(model: ModelConfig, training: TrainingConfig, split: Split) -> str:
    """Return the hash of all that decides the weights, so that no checkpoint continues another training.

    It is of the planned configuration: one that a remedy has adjusted still continues its own checkpoints.
    Left out is what may differ between attempts, as a run may be resumed on another device. Keys have the
    names that older checkpoints were hashed with (``by_alias``).
    """
    planned = training.model_dump_json(by_alias=True, exclude={"device", "checkpoint_every_s"})
    text = f"{model.model_dump_json(by_alias=True)}{planned}{split.hash}{split.ratings.content_hash}"
    return hashlib.sha256(text.encode()).hexdigest()
