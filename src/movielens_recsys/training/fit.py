"""Fitting: an explicit loop over epochs, saved as it goes, on one device or several."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from movielens_recsys.data.splits.split import Split
from movielens_recsys.errors import TrainingError, TrainingStopped
from movielens_recsys.models.base import Model
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.bayesian.sampler import GibbsSampler
from movielens_recsys.models.composite import RatingRankingModel
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.networks.recommender import NeuralRecommender
from movielens_recsys.training.budget import budget_for
from movielens_recsys.training.checkpoints import Checkpoints
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.distributed import LocalCluster, WorkerProcesses, fabric_for
from movielens_recsys.training.gradient_trainer import GradientTrainer
from movielens_recsys.training.history import FitResult, TrainingCallback
from movielens_recsys.training.mcmc_loop import fit_mcmc


def fit(
    model: ModelConfig,
    training: TrainingConfig,
    split: Split,
    *,
    adjusted: TrainingConfig | None = None,
    devices: int = 1,
    callbacks: Sequence[TrainingCallback] = (),
    checkpoint_folder: Path | None = None,
    resume: bool = False,
    stop: Callable[[], bool] = lambda: False,
    ensure_owner: Callable[[], None] = lambda: None,
) -> tuple[Model, FitResult]:
    """Fit ``model`` to the training rows of ``split``; its validation rows choose the epoch.

    Neural models end with the weights of their best epoch, sampled ones with the draws that they keep. The
    same configuration and split give the same weights, bit for bit, on one machine and number of devices and
    threads.

    Parameters
    ----------
    training
        How it was planned: what the checkpoints belong to, and whose KL weight the reported losses have.
    adjusted
        How it is trained now, if contingencies have changed the plan on the way.
    devices
        GPUs, or processes on the CPU, that each batch is divided among. The checkpoints of one number of
        them can be resumed with another.
    checkpoint_folder
        Where all that training needs to go on is written after every epoch, and within long ones
        (``last.ckpt``, the one before it as ``previous.ckpt``), and the best epoch's weights (``best.ckpt``).
    resume
        Go on from the last whole checkpoint in that folder; without one, begin. The finished run equals one
        that was never interrupted, bit for bit. Epochs before the checkpoint are not reported to
        ``callbacks`` again; one that was reported just before a crash may be, with the same figures.
    stop
        Asked after every optimiser step; once it says True, the position is saved and training ends.
    ensure_owner
        Called before a checkpoint takes its place; it raises if another process has taken the run over.

    Raises
    ------
    TrainingStopped
        ``stop`` said so; `resume` goes on from this very step.
    UnstableTrainingError
        A step's loss or gradient is no number, or the loss has jumped. The weights are as they were before,
        and the last checkpoint is good.
    DeviceMemoryError
        The device has no memory for a batch.
    TrainingError
        If there are no validation rows to choose by, the device is not there, or the checkpoint is of
        another configuration or split.
    """
    if model.ranking_model is not model.rating_model:
        rating_model, result = fit(
            model.rating_model,
            training,
            split,
            adjusted=adjusted,
            devices=devices,
            callbacks=callbacks,
            checkpoint_folder=checkpoint_folder,
            resume=resume,
            stop=stop,
            ensure_owner=ensure_owner,
        )
        started = time.monotonic()
        ranking_model = build_model(model.ranking_model, split.part("train"), training.seed)
        seconds = result.seconds + time.monotonic() - started
        return RatingRankingModel(model, rating_model, ranking_model), replace(result, seconds=seconds)
    started = time.monotonic()
    checkpoints = Checkpoints(
        checkpoint_folder, _fingerprint(model, training, split), ensure_owner=ensure_owner
    )
    if isinstance(model, BayesianMFConfig):
        return fit_mcmc(
            GibbsSampler(model, split.part("train"), training.seed),
            split,
            checkpoints,
            sweeps_an_epoch=budget_for(model, training).sweeps_an_epoch,
            checkpoint_every_s=training.checkpoint_every_s,
            resume=resume,
            callbacks=callbacks,
            stop=stop,
        )
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
    with WorkerProcesses(
        devices, _work, model, training, adjusted, split, checkpoint_folder, resume
    ) as workers:
        result = _train(
            recommender,
            training,
            adjusted,
            split,
            checkpoints,
            resume=resume,
            callbacks=callbacks,
            stop=stop,
            rendezvous=workers.rendezvous,
        )
    return recommender, result


def _work(
    model: ModelConfig,
    training: TrainingConfig,
    adjusted: TrainingConfig | None,
    split: Split,
    checkpoint_folder: Path | None,
    resume: bool,
    rendezvous: LocalCluster,
) -> None:
    """Train as a rank that nobody sees."""
    recommender = build_model(model, split.part("train"), training.seed)
    assert isinstance(recommender, NeuralRecommender)
    checkpoints = Checkpoints(checkpoint_folder, _fingerprint(model, training, split), read_only=True)
    _train(recommender, training, adjusted, split, checkpoints, resume=resume, rendezvous=rendezvous)


def _train(
    recommender: NeuralRecommender,
    training: TrainingConfig,
    adjusted: TrainingConfig | None,
    split: Split,
    checkpoints: Checkpoints,
    *,
    resume: bool,
    rendezvous: LocalCluster | None,
    callbacks: Sequence[TrainingCallback] = (),
    stop: Callable[[], bool] = lambda: False,
) -> FitResult:
    """Train ``recommender`` to its end as one of the ranks; all make the same decisions."""
    trainer = GradientTrainer(
        recommender,
        adjusted or training,
        split,
        fabric_for(adjusted or training, rendezvous),
        reported_kl_weight=training.kl_weight,
    )
    if not resume:
        checkpoints.clear()
    saved = checkpoints.latest() if resume else None
    if saved is not None:
        trainer.restore(*saved)

    def save() -> None:
        checkpoints.save(*trainer.state())
        for callback in callbacks:
            callback.on_checkpoint(trainer.epoch, trainer.step)

    while not trainer.done:
        to_its_end = trainer.train_epoch(callbacks, stop, save)
        if to_its_end:
            record, improved = trainer.close_epoch()
            for callback in callbacks:
                callback.on_epoch(record, improved=improved)
            if improved:
                checkpoints.save_best(trainer.best.weights, record.to_json())
        save()
        if not to_its_end or (not trainer.done and trainer.broadcast_decision(stop())[0]):
            raise TrainingStopped(
                f"training was stopped in epoch {trainer.epoch} after step {trainer.step}",
                next_step="resume it",
            )
    recommender.network.load_state_dict(trainer.best.weights)
    recommender.network.eval()
    with torch.inference_mode():
        recommender.network.cache_encodings()
    return FitResult(tuple(trainer.history), trainer.best.epoch, trainer.best.reason, trainer.spent_s)


def _fingerprint(model: ModelConfig, training: TrainingConfig, split: Split) -> str:
    """Return the hash of all that decides the course of a training, wherever it goes on."""
    planned = training.model_dump_json(by_alias=True, exclude={"device", "checkpoint_every_s"})
    text = f"{model.model_dump_json(by_alias=True)}{planned}{split.hash}{split.ratings.content_hash}"
    return hashlib.sha256(text.encode()).hexdigest()
