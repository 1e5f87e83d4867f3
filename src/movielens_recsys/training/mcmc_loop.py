"""The loop of MCMC models: evaluated on validation rows, saved, stopped and resumed like training."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from movielens_recsys.data.splits.split import Split
from movielens_recsys.errors import TrainingStopped
from movielens_recsys.models.base import Model
from movielens_recsys.models.bayesian.convergence import effective_sample_size, split_r_hat
from movielens_recsys.models.bayesian.model import BayesianMF
from movielens_recsys.models.bayesian.parallel import ThreadPool
from movielens_recsys.models.bayesian.sampler import GibbsSampler
from movielens_recsys.training.checkpoints import Checkpoints
from movielens_recsys.training.history import Convergence, EpochMetrics, FitResult
from movielens_recsys.training.session import TrainingSession

TRAINING_LOSS_ROWS = 20_000
"""Training rows, evenly spaced, whose MSE is reported as ``train_loss``."""
TRACED_ROWS = 256
"""Validation rows whose predictions are kept for every posterior sample, to measure convergence."""
MIN_SAMPLES = 4
"""Posterior samples of a chain below which convergence is not measured."""
SAVING_SHARE = 0.05
"""The share of the time that checkpoints may take."""


def fit_mcmc(
    sampler: GibbsSampler,
    split: Split,
    checkpoints: Checkpoints,
    session: TrainingSession,
    *,
    sweeps_per_epoch: int,
    checkpoint_every_s: float,
) -> tuple[Model, FitResult]:
    """Make all sweeps of ``sampler``; arguments and errors are those of `training.fit.fit`.

    Validation rows decide nothing here. Without any, no epoch is reported.
    """
    progress = _Progress(sampler, split, sweeps_per_epoch)
    if not session.resume:
        checkpoints.clear()
    saved = checkpoints.latest() if session.resume else None
    if saved is not None:
        progress.restore(*saved)
    timer = CheckpointTimer(checkpoint_every_s)

    def save() -> None:
        with timer:
            checkpoints.save(*progress.state())
        for callback in session.callbacks:
            callback.on_checkpoint(progress.epoch, progress.step)

    with ThreadPool() as threads:
        while not progress.done:
            metrics = progress.advance(threads)
            for callback in session.callbacks:
                callback.on_step(progress.epoch, progress.step, progress.sweeps_per_epoch)
                if metrics is not None:
                    callback.on_epoch(metrics, improved=progress.improved)
            if not progress.done and session.stop():
                save()
                raise TrainingStopped(
                    f"sampling was stopped after sweep {sampler.sweeps}", next_step="resume it"
                )
            if timer.due or progress.done:
                save()
    best = progress.history[-1].epoch if progress.history else None
    result = FitResult(
        tuple(progress.history), best, "all sweeps done", progress.spent_s, progress.convergence()
    )
    return BayesianMF.of(sampler), result


class CheckpointTimer:
    """When the next checkpoint is due: at the latest after ``every_s`` seconds, sooner if saving is quick.

    While entered, it times the writing of one.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s, self._duration_s, self._saved = every_s, 0.0, time.monotonic()

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, *error: object) -> None:
        self._saved = time.monotonic()
        self._duration_s = self._saved - self._began

    @property
    def due(self) -> bool:
        """Whether the last checkpoint is old enough to be worth the time of writing another."""
        return time.monotonic() - self._saved > min(self._every_s, max(self._duration_s / SAVING_SHARE, 1.0))


class _Progress:
    """A sampler with the predictions of its samples so far, for validation and some training rows."""

    def __init__(self, sampler: GibbsSampler, split: Split, sweeps_per_epoch: int) -> None:
        self.sampler = sampler
        self.sweeps_per_epoch = sweeps_per_epoch
        train, self._validation = split.part("train"), split.part("validation")
        self._train = train.take(np.arange(0, len(train), max(len(train) // TRAINING_LOSS_ROWS, 1)))
        self._predict, self._predict_train = (
            sampler.predictor(rows) for rows in (self._validation, self._train)
        )
        self._sum = np.zeros(len(self._validation))
        self._traced: list[NDArray[np.float32]] = []
        self.history: list[EpochMetrics] = []
        self.spent_s = self._epoch_s = 0.0

    @property
    def done(self) -> bool:
        return self.sampler.sweeps == self.sampler.total_sweeps

    @property
    def epoch(self) -> int:
        """The epoch that the last sweep belongs to, from 1."""
        return max(math.ceil(self.sampler.sweeps / self.sweeps_per_epoch), 1)

    @property
    def step(self) -> int:
        """The place of the last sweep in its epoch, from 1."""
        return self.sampler.sweeps - (self.epoch - 1) * self.sweeps_per_epoch

    def advance(self, threads: ThreadPool) -> EpochMetrics | None:
        """Make a sweep; return the epoch's metrics if it ends one and there are validation rows."""
        began = time.monotonic()
        self.sampler.sweep(threads)
        ends_epoch = bool(len(self._validation)) and (self.step == self.sweeps_per_epoch or self.done)
        predicted = self._validation_predictions(ends_epoch)
        elapsed = time.monotonic() - began
        self.spent_s += elapsed
        self._epoch_s += elapsed
        if not ends_epoch:
            return None
        errors = self._predict_train().astype(np.float64) - self._train.ratings
        mse = float(np.mean((predicted.astype(np.float64) - self._validation.ratings) ** 2))
        record = EpochMetrics(
            epoch=self.epoch,
            train_loss=float(np.mean(errors**2)),
            val_loss=mse,
            val_mse=mse,
            val_rmse=mse**0.5,
            val_kl=0.0,
            learning_rate=0.0,
            samples_per_s=len(self.sampler.train) * self.step / self._epoch_s,
            averaged=bool(self._traced),
            sweeps=self.sampler.sweeps,
        )
        self.history.append(record)
        self._epoch_s = 0.0
        return record

    def _validation_predictions(self, ends_epoch: bool) -> NDArray[np.floating]:
        """Return the mean predictions over posterior samples past burn-in, to which this sweep's are added.

        Before burn-in is over, they are those of the present sample, needed only at the end of an epoch.
        """
        if not len(self._validation) or not (self.sampler.past_burn_in or ends_epoch):
            return self._sum
        predicted = self._predict()
        if self.sampler.past_burn_in:
            self._sum += predicted
            self._traced.append(predicted[:: max(len(predicted) // TRACED_ROWS, 1)][:TRACED_ROWS])
        return self._sum / len(self._traced) if self._traced else predicted

    @property
    def improved(self) -> bool:
        """Whether the last epoch's RMSE is the best so far."""
        return self.history[-1].val_rmse <= min(record.val_rmse for record in self.history)

    def convergence(self) -> Convergence | None:
        """Return how far predictions have converged, after all sweeps; None with too few samples."""
        chains = self.sampler.config.chains
        if len(self._traced) < MIN_SAMPLES * chains:
            return None
        traces = np.stack(self._traced).astype(np.float64).reshape(chains, -1, len(self._traced[0]))
        r_hat, draws = split_r_hat(traces), effective_sample_size(traces)
        return Convergence(
            predictions=len(r_hat),
            draws=len(self._traced),
            r_hat_median=float(np.median(r_hat)),
            r_hat_worst=float(r_hat.max()),
            effective_draws_median=float(np.median(draws)),
            effective_draws_worst=float(draws.min()),
        )

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return all that sampling needs to continue, as tensors and JSON values."""
        arrays, sampler = self.sampler.state()
        width = min(len(self._validation), TRACED_ROWS)
        arrays["progress.sum"] = self._sum
        arrays["progress.traced"] = np.reshape(self._traced, (len(self._traced), width)).astype(np.float32)
        position = {
            "sampler": sampler,
            "history": [record.to_json() for record in self.history],
            "spent_s": self.spent_s,
            "epoch_s": self._epoch_s,
        }
        return {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}, position

    def restore(self, tensors: Mapping[str, Tensor], position: Mapping[str, Any]) -> None:
        """Return to the position of a `state`."""
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        self.sampler.restore(arrays, position["sampler"])
        self._sum, self._traced = arrays["progress.sum"], list(arrays["progress.traced"])
        self.history = [EpochMetrics.from_json(record) for record in position["history"]]
        self.spent_s, self._epoch_s = position["spent_s"], position["epoch_s"]
