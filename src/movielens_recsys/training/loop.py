"""The training loop: batches sliced from tensors by a permutation, one explicit loop on Fabric."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.nn import functional

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.splits import Split
from movielens_recsys.errors import TrainingError, TrainingStopped
from movielens_recsys.models.base import Domain, Model
from movielens_recsys.models.catalogue import build
from movielens_recsys.models.config import AnyModelConfig
from movielens_recsys.models.neural import NeuralRecommender
from movielens_recsys.seeds import derive_seed, generator
from movielens_recsys.training.checkpoints import Checkpoints
from movielens_recsys.training.choice import BestEpoch, Weights
from movielens_recsys.training.config import VALIDATION_BATCH, TrainingConfig
from movielens_recsys.training.records import EpochRecord, FitResult, TrainingCallback


def fit(
    model: AnyModelConfig,
    training: TrainingConfig,
    split: Split,
    *,
    callbacks: Sequence[TrainingCallback] = (),
    checkpoint_folder: Path | None = None,
    resume: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[Model, FitResult]:
    """Fit ``model`` to the training rows of ``split``; its validation rows choose the epoch.

    Neural models end with the weights of their best epoch. The same configuration and split give the
    same weights, bit for bit, on one machine and thread count.

    Parameters
    ----------
    checkpoint_folder
        Where all that training needs to go on is written after every epoch (``last.ckpt``, the one before
        it as ``previous.ckpt``), and the best epoch's weights (``best.ckpt``).
    resume
        Go on from the last whole checkpoint in that folder; without one, begin. The finished run equals one
        that was never interrupted, bit for bit. Epochs before the checkpoint are not reported to
        ``callbacks`` again; one that was reported just before a crash may be, with the same figures.
    stop
        Asked after every optimiser step; once it says True, the position is saved and training ends.

    Raises
    ------
    TrainingStopped
        ``stop`` said so; `resume` goes on from this very step.
    TrainingError
        If there are no validation rows to choose by, the loss is no longer finite, or the checkpoint is of
        another configuration or split.
    """
    started = time.monotonic()
    recommender = build(model, split.part("train"), training.seed)
    if not isinstance(recommender, NeuralRecommender):
        return recommender, FitResult((), None, "solved in closed form", time.monotonic() - started)
    if len(split.validation) == 0:
        raise TrainingError(
            "the split has no validation rows",
            expected="some, to choose the best epoch by",
            next_step="set the split's validation share above 0",
        )
    checkpoints = Checkpoints(checkpoint_folder, _fingerprint(model, training, split))
    loop = _Loop(recommender, training, split)
    saved = checkpoints.latest() if resume else None
    if saved is not None:
        loop.restore(*saved)
    while loop.epoch <= training.epochs and not loop.best.exhausted:
        if not loop.train_epoch(callbacks, stop):
            checkpoints.save(*loop.state())
            raise TrainingStopped(
                f"training was stopped in epoch {loop.epoch} after step {loop.step}", next_step="resume it"
            )
        record, improved = loop.close_epoch()
        for callback in callbacks:
            callback.on_epoch(record, improved=improved)
        if improved:
            checkpoints.save_best(loop.best.weights, record.to_json())
        checkpoints.save(*loop.state())
    recommender.network.load_state_dict(loop.best.weights)
    seconds = time.monotonic() - started
    return recommender, FitResult(tuple(loop.history), loop.best.epoch, loop.best.reason, seconds)


def _fingerprint(model: AnyModelConfig, training: TrainingConfig, split: Split) -> str:
    """Return the hash of all that decides the course of a training."""
    text = f"{model.model_dump_json()}{training.model_dump_json()}{split.hash}{split.ratings.content_hash}"
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class _Rows:
    """Rows of ratings as tensors on the training device."""

    users: Tensor
    items: Tensor
    ratings: Tensor

    @classmethod
    def of(cls, ratings: Ratings, device: torch.device) -> _Rows:
        return cls(
            torch.as_tensor(ratings.users.astype(np.int64), device=device),
            torch.as_tensor(ratings.items.astype(np.int64), device=device),
            torch.as_tensor(ratings.ratings, device=device),
        )

    def at(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return users, items and ratings of ``rows``."""
        return self.users[rows], self.items[rows], self.ratings[rows]


def _batches(order: Tensor, size: int) -> list[Tensor]:
    """Cut ``order`` into batches of ``size`` rows.

    A last batch of one row joins the one before it: batch statistics need two.
    """
    batches = list(torch.split(order, size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


class _Loop:
    """One run's network, optimiser and rows on their device, and how far it has come."""

    def __init__(self, recommender: NeuralRecommender, training: TrainingConfig, split: Split) -> None:
        self.training = training
        self.domain: Domain = recommender.domain
        self.fabric = Fabric(accelerator=training.device, devices=1)
        optimizers = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
        self.optimizer = optimizers[training.optimizer](
            recommender.network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
        )
        self.network, self.fabric_optimizer = self.fabric.setup(recommender.network, self.optimizer)
        self.train_rows = _Rows.of(split.part("train"), self.fabric.device)
        self.validation_rows = _Rows.of(split.part("validation"), self.fabric.device)
        self.order = generator(training.seed, "order")
        torch.manual_seed(derive_seed(training.seed, "noise"))
        self.epoch = 1
        self.best = BestEpoch(training)
        self.history: list[EpochRecord] = []
        self._open_epoch()

    def _open_epoch(self) -> None:
        self.order_before = dict(self.order.bit_generator.state)
        self.step = 0
        self.seconds = 0.0
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=self.fabric.device)
        self.gradient_norm_sum = torch.zeros_like(self.loss_sum)

    def weights(self) -> Weights:
        """Return a copy of the network's weights."""
        return {name: tensor.detach().clone() for name, tensor in self.network.module.state_dict().items()}

    def train_epoch(self, callbacks: Sequence[TrainingCallback], stop: Callable[[], bool]) -> bool:
        """Train on every row once in a new order, or on what is left of it; return False if stopped."""
        self.network.train()
        order = torch.as_tensor(
            self.order.permutation(len(self.train_rows.ratings)), device=self.fabric.device
        )
        batches = _batches(order, self.training.batch_size)
        started = time.perf_counter() - self.seconds
        for rows in batches[self.step :]:
            self._step(*self.train_rows.at(rows))
            self.step += 1
            for callback in callbacks:
                callback.on_step(self.epoch, self.step, len(batches))
            if self.step < len(batches) and stop():
                self.seconds = time.perf_counter() - started
                return False
        self.seconds = time.perf_counter() - started
        return True

    def _step(self, users: Tensor, items: Tensor, ratings: Tensor) -> None:
        output = self.network(users, items)
        loss = functional.mse_loss(output.ratings, ratings) + self.training.kl_weight * output.kl
        self.fabric_optimizer.zero_grad()
        self.fabric.backward(loss)
        gradient_norm = self.fabric.clip_gradients(
            self.network,
            self.fabric_optimizer,
            max_norm=self.training.gradient_clip_norm or math.inf,
            error_if_nonfinite=False,
        )
        self.fabric_optimizer.step()
        self.gradient_norm_sum += cast(Tensor, gradient_norm)
        self.loss_sum += loss.detach() * len(ratings)

    def close_epoch(self) -> tuple[EpochRecord, bool]:
        """Judge the validation rows; return the epoch's record and whether it is the best so far."""
        n = len(self.train_rows.ratings)
        train_loss = float(self.loss_sum) / n
        mse, kl = self._validate()
        for name, value in (("training loss", train_loss), ("validation MSE", mse), ("validation KL", kl)):
            if not np.isfinite(value):
                raise TrainingError(
                    f"the {name} of epoch {self.epoch} is {value}",
                    expected="a finite number",
                    next_step="lower training.learning_rate or training.kl_weight",
                )
        record = EpochRecord(
            epoch=self.epoch,
            train_loss=train_loss,
            val_loss=mse + self.training.kl_weight * kl,
            val_mse=mse,
            val_rmse=mse**0.5,
            val_kl=kl,
            learning_rate=self.optimizer.param_groups[0]["lr"],
            samples_per_s=n / self.seconds,
            gradient_norm=float(self.gradient_norm_sum) / self.step,
        )
        improved = self.best.take(record, self.weights)
        self.history.append(record)
        self.epoch += 1
        self._open_epoch()
        return record, improved

    def state(self) -> tuple[Weights, dict[str, Any]]:
        """Return all that training needs to go on, as tensors and JSON values."""
        optimizer = {
            f"optimizer.{index}.{name}": value
            for index, values in self.optimizer.state_dict()["state"].items()
            for name, value in values.items()
        }
        tensors = {
            **{f"network.{name}": tensor for name, tensor in self.network.module.state_dict().items()},
            **{f"best.{name}": tensor for name, tensor in self.best.weights.items()},
            **optimizer,
            "loss_sum": self.loss_sum,
            "gradient_norm_sum": self.gradient_norm_sum,
            "noise": torch.get_rng_state(),
        }
        if self.fabric.device.type == "cuda":
            tensors["noise_cuda"] = torch.cuda.get_rng_state(self.fabric.device)
        position = {
            "epoch": self.epoch,
            "step": self.step,
            "seconds": self.seconds,
            "order": self.order_before,
            "best": self.best.to_json(),
            "history": [record.to_json() for record in self.history],
        }
        return tensors, position

    def restore(self, tensors: Weights, position: Mapping[str, Any]) -> None:
        """Go back to where `state` was taken."""
        self.network.module.load_state_dict(_under("network.", tensors))
        slots: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under("optimizer.", tensors).items():
            index, _, slot = name.partition(".")
            slots.setdefault(int(index), {})[slot] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": slots, "param_groups": groups})
        self.best.restore(position["best"], _under("best.", tensors))
        self.history = [EpochRecord(**record) for record in position["history"]]
        self.epoch = position["epoch"]
        self.order.bit_generator.state = position["order"]
        self._open_epoch()
        self.step, self.seconds = position["step"], position["seconds"]
        self.loss_sum = tensors["loss_sum"].to(self.fabric.device)
        self.gradient_norm_sum = tensors["gradient_norm_sum"].to(self.fabric.device)
        torch.set_rng_state(tensors["noise"])
        if "noise_cuda" in tensors and self.fabric.device.type == "cuda":
            torch.cuda.set_rng_state(tensors["noise_cuda"], self.fabric.device)

    @torch.inference_mode()
    def _validate(self) -> tuple[float, float]:
        """Return the MSE of clipped predictions and the mean KL over the validation rows."""
        self.network.eval()
        low, high = self.domain.scale.minimum, self.domain.scale.maximum
        squared, kl, n = 0.0, 0.0, len(self.validation_rows.ratings)
        for rows in _batches(torch.arange(n, device=self.fabric.device), VALIDATION_BATCH):
            users, items, ratings = self.validation_rows.at(rows)
            output = self.network(users, items)
            squared += float((output.ratings.clamp(low, high) - ratings).square().sum(dtype=torch.float64))
            kl += float(output.kl) * len(ratings)
        return squared / n, kl / n


def _under(prefix: str, tensors: Weights) -> Weights:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
