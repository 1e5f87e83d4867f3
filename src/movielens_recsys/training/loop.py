"""The training loop: batches sliced from tensors by a permutation, one explicit loop on Fabric."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.nn import functional

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.splits import Split
from movielens_recsys.errors import TrainingError
from movielens_recsys.models.base import Domain, Model
from movielens_recsys.models.catalogue import build
from movielens_recsys.models.config import AnyModelConfig
from movielens_recsys.models.neural import NeuralRecommender
from movielens_recsys.seeds import derive_seed, generator
from movielens_recsys.training.checkpoints import write_checkpoint
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.records import EpochRecord, FitResult, TrainingCallback

VALIDATION_BATCH = 65_536


def fit(
    model: AnyModelConfig,
    training: TrainingConfig,
    split: Split,
    *,
    callbacks: Sequence[TrainingCallback] = (),
    checkpoint_folder: Path | None = None,
) -> tuple[Model, FitResult]:
    """Fit ``model`` to the training rows of ``split``; its validation rows choose the epoch.

    Neural models end with the weights of their best epoch. With a ``checkpoint_folder``, ``last.ckpt`` is
    written after every epoch and ``best.ckpt`` whenever the monitored figure improves. The same
    configuration and split give the same weights, bit for bit, on one machine and thread count.

    Raises
    ------
    TrainingError
        If there are no validation rows to choose by, or the loss is no longer finite.
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
    loop = _Loop(recommender, training, split)
    history: list[EpochRecord] = []
    choice = _Choice(training)
    for epoch in range(1, training.epochs + 1):
        record = loop.run_epoch(epoch, callbacks)
        history.append(record)
        improved = choice.take(record, loop.weights)
        if checkpoint_folder is not None:
            write_checkpoint(checkpoint_folder / "last.ckpt", loop.weights(), record.to_json())
            if improved:
                write_checkpoint(checkpoint_folder / "best.ckpt", choice.weights, record.to_json())
        for callback in callbacks:
            callback.on_epoch(record, improved=improved)
        if choice.exhausted:
            break
    recommender.network.load_state_dict(choice.weights)
    return recommender, FitResult(tuple(history), choice.epoch, choice.reason, time.monotonic() - started)


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
    """One run's network, optimiser and rows on their device."""

    def __init__(self, recommender: NeuralRecommender, training: TrainingConfig, split: Split) -> None:
        self.training = training
        self.domain: Domain = recommender.domain
        self.fabric = Fabric(accelerator=training.device, devices=1)
        optimizers = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
        optimizer = optimizers[training.optimizer](
            recommender.network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
        )
        self.network, self.optimizer = self.fabric.setup(recommender.network, optimizer)
        self.train_rows = _Rows.of(split.part("train"), self.fabric.device)
        self.validation_rows = _Rows.of(split.part("validation"), self.fabric.device)
        self.order = generator(training.seed, "order")
        torch.manual_seed(derive_seed(training.seed, "noise"))

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of the network's weights."""
        return {name: tensor.detach().clone() for name, tensor in self.network.module.state_dict().items()}

    def run_epoch(self, epoch: int, callbacks: Sequence[TrainingCallback]) -> EpochRecord:
        """Train on every row once in a new order, then judge the validation rows."""
        started = time.perf_counter()
        train_loss = self._train(epoch, callbacks)
        seconds = time.perf_counter() - started
        mse, kl = self._validate()
        for name, value in (("training loss", train_loss), ("validation MSE", mse), ("validation KL", kl)):
            if not np.isfinite(value):
                raise TrainingError(
                    f"the {name} of epoch {epoch} is {value}",
                    expected="a finite number",
                    next_step="lower training.learning_rate or training.kl_weight",
                )
        return EpochRecord(
            epoch=epoch,
            train_loss=train_loss,
            val_loss=mse + self.training.kl_weight * kl,
            val_mse=mse,
            val_rmse=mse**0.5,
            val_kl=kl,
            learning_rate=self.optimizer.param_groups[0]["lr"],
            samples_per_s=len(self.train_rows.ratings) / seconds,
        )

    def _train(self, epoch: int, callbacks: Sequence[TrainingCallback]) -> float:
        self.network.train()
        n = len(self.train_rows.ratings)
        order = torch.as_tensor(self.order.permutation(n), device=self.fabric.device)
        batches = _batches(order, self.training.batch_size)
        total = torch.zeros((), dtype=torch.float64, device=self.fabric.device)
        for step, rows in enumerate(batches, start=1):
            users, items, ratings = self.train_rows.at(rows)
            output = self.network(users, items)
            loss = functional.mse_loss(output.ratings, ratings) + self.training.kl_weight * output.kl
            self.optimizer.zero_grad()
            self.fabric.backward(loss)
            if self.training.gradient_clip_norm is not None:
                self.fabric.clip_gradients(
                    self.network,
                    self.optimizer,
                    max_norm=self.training.gradient_clip_norm,
                    error_if_nonfinite=False,
                )
            self.optimizer.step()
            total += loss.detach() * len(ratings)
            for callback in callbacks:
                callback.on_step(epoch, step, len(batches))
        return float(total) / n

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


class _Choice:
    """Keeps the best epoch's weights and says when waiting for a better one is over."""

    def __init__(self, training: TrainingConfig) -> None:
        stopping = training.early_stopping
        self.monitor = stopping.monitor if stopping else "val_rmse"
        self.min_delta = stopping.min_delta if stopping else 0.0
        self.patience = stopping.patience if stopping else None
        self.value = float("inf")
        self.epoch: int | None = None
        self.weights: dict[str, Tensor] = {}
        self.waited = 0

    def take(self, record: EpochRecord, weights: Any) -> bool:
        """Keep ``weights()`` if ``record`` is the best so far; return whether it is."""
        value = float(getattr(record, self.monitor))
        if value < self.value - self.min_delta:
            self.value, self.epoch, self.weights, self.waited = value, record.epoch, weights(), 0
            return True
        self.waited += 1
        return False

    @property
    def exhausted(self) -> bool:
        """Whether patience has run out."""
        return self.patience is not None and self.waited >= self.patience

    @property
    def reason(self) -> str:
        """Why training ended, in words."""
        if self.exhausted:
            return f"{self.monitor} did not improve for {self.waited} epochs"
        return "all epochs done"
