"""`GradientTrainer`: one run's network, optimiser and rows on their device, and how far it has come."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.splits.split import Split
from movielens_recsys.errors import DeviceMemoryError, UnstableTrainingError
from movielens_recsys.models.base import DataSpec
from movielens_recsys.models.networks.network import RatingNetwork
from movielens_recsys.models.networks.recommender import NeuralRecommender
from movielens_recsys.seeds import derive_seed, generator
from movielens_recsys.training.config import VALIDATION_BATCH, TrainingConfig
from movielens_recsys.training.early_stopping import BestEpoch, Weights
from movielens_recsys.training.history import EpochMetrics, TrainingCallback
from movielens_recsys.training.losses import objective, reported_loss
from movielens_recsys.training.schedules import kl_weight_at, learning_rate_at
from movielens_recsys.training.weight_averaging import Pairs, WeightAverage

ACTIVE_VARIANCE = 0.01
"""A latent unit is active if its posterior mean varies more than this over pairs (Burda et al., 2016)."""


@dataclass(frozen=True)
class _Rows:
    """Rows of ratings as tensors on the training device, with what the network must know of each moment."""

    users: Tensor
    items: Tensor
    moments: Tensor
    ratings: Tensor

    @classmethod
    def of(cls, ratings: Ratings, network: RatingNetwork, device: torch.device) -> _Rows:
        return cls(
            torch.as_tensor(ratings.users.astype(np.int64), device=device),
            torch.as_tensor(ratings.items.astype(np.int64), device=device),
            network.time_context(ratings.users, ratings.items, ratings.timestamps).to(device),
            torch.as_tensor(ratings.ratings, device=device),
        )

    def at(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return users, items, moments and ratings of ``rows``."""
        return self.users[rows], self.items[rows], self.moments[rows], self.ratings[rows]

    def pairs(self, size: int) -> Iterator[Pairs]:
        """Yield users and items of all rows in their order, ``size`` at a time."""
        return zip(torch.split(self.users, size), torch.split(self.items, size), strict=True)


def _batches(order: Tensor, size: int, least: int = 2) -> list[Tensor]:
    """Cut ``order`` into batches of ``size`` rows.

    A last batch of fewer than ``least`` rows joins the one before it: batch statistics need two a rank.
    """
    batches = list(torch.split(order, size)) if len(order) else []
    if len(batches) > 1 and len(batches[-1]) < least:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


class GradientTrainer:
    """Trains epoch by epoch and judges each on the validation rows.

    Parameters
    ----------
    training
        How it is trained.
    reported_kl_weight
        The KL weight of the losses that are reported: the planned one, whatever ``training`` was changed to
        on the way.
    """

    def __init__(
        self,
        recommender: NeuralRecommender,
        training: TrainingConfig,
        split: Split,
        fabric: Fabric,
        *,
        reported_kl_weight: float,
    ) -> None:
        self.training = training
        self.reported_kl_weight = reported_kl_weight
        self.domain: DataSpec = recommender.domain
        self.fabric = fabric
        recommender.network.embedding_noise = training.embedding_noise
        optimizers = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
        self.optimizer = optimizers[training.optimizer](
            recommender.network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
        )
        self.network, self.fabric_optimizer = fabric.setup(recommender.network, self.optimizer)
        self.module = recommender.network
        self.train_rows = _Rows.of(split.part("train"), self.module, fabric.device)
        self.validation_rows = _Rows.of(split.part("validation"), self.module, fabric.device)
        self.mean_rating = float(split.part("train").ratings.mean())
        self.order = generator(training.seed, "order")
        self._seed_noise("noise")
        self.average = WeightAverage(self.module, training)
        self.best = BestEpoch(training)
        self.history: list[EpochMetrics] = []
        self.epoch = 1
        self.spent_s = 0.0
        self.previous_epoch_loss = math.inf
        self._open_epoch()

    def _open_epoch(self) -> None:
        self.order_before = dict(self.order.bit_generator.state)
        self.row = self.step = 0
        self.seconds = 0.0
        self.cost_and_loss = torch.zeros(2, dtype=torch.float64, device=self.fabric.device)
        self.gradient_norm_sum = torch.zeros((), dtype=torch.float64, device=self.fabric.device)

    def _seed_noise(self, name: str) -> None:
        """Seed this rank's dropout and latent noise; rank 0 alone draws as a single device would."""
        rank = self.fabric.global_rank
        torch.manual_seed(derive_seed(self.training.seed, f"{name}-{rank}" if rank else name))

    @property
    def done(self) -> bool:
        """Whether all epochs are trained, or patience has run out; while SWA is to begin, it does not."""
        return self.epoch > self.training.epochs or (self.best.exhausted and not self.average.awaited)

    def train_epoch(
        self, callbacks: Sequence[TrainingCallback], stop: Callable[[], bool], save: Callable[[], None]
    ) -> bool:
        """Train on every row once in a new order, or on what is left of it; return False if stopped.

        ``save`` is called in between whenever the last checkpoint is too old.
        """
        self.network.train()
        order = torch.as_tensor(
            self.order.permutation(len(self.train_rows.ratings)), device=self.fabric.device
        )
        size = self.training.batch_rows(len(order))
        batches = _batches(order[self.row :], size, least=2 * self.fabric.world_size)
        steps = self.step + len(batches)
        started, saved = time.monotonic() - self.seconds, time.monotonic()
        for rows in batches:
            with _memory_errors("set training.micro_batch_size to less than the batch"):
                self._step(rows, steps)
            for callback in callbacks:
                callback.on_step(self.epoch, self.step, steps)
            self.seconds = time.monotonic() - started
            due = self.step < steps and time.monotonic() - saved > self.training.checkpoint_every_s
            stopping, due = self.broadcast_decision(stop(), due)
            if stopping:
                return False
            if due:
                save()
                saved = time.monotonic()
        return True

    def broadcast_decision(self, *decisions: bool) -> tuple[bool, ...]:
        """Return what rank 0 decided; every rank takes part."""
        if self.fabric.world_size == 1:
            return decisions
        flags = torch.tensor(decisions, dtype=torch.uint8, device=self.fabric.device)
        torch.distributed.broadcast(flags, 0)
        return tuple(bool(flag) for flag in flags)

    def _step(self, rows: Tensor, steps: int) -> None:
        """Make one optimiser step on ``rows``; each rank takes its share, a micro-batch at a time."""
        progress = self.epoch - 1 + (self.step + 1) / steps
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate_at(progress, self.training, self.history)
        kl_weight = kl_weight_at(progress, self.training)
        world = self.fabric.world_size
        own = rows[self.fabric.global_rank :: world]
        parts = _batches(own, self.training.micro_batch_size or len(own))
        self.module.mask_targets(rows)
        self.fabric_optimizer.zero_grad()
        sums = torch.zeros(2, dtype=torch.float64, device=self.fabric.device)
        for place, part in enumerate(parts, start=1):
            users, items, moments, ratings = self.train_rows.at(part)
            share = len(part) / len(rows)
            with self.fabric.no_backward_sync(self.network, enabled=place < len(parts)):
                output = self.network(users, items, moments)
                cost = objective(output, ratings, self.mean_rating, kl_weight, self.training)
                self.fabric.backward(cost * (share * world))
            with torch.no_grad():
                loss = reported_loss(output, ratings, self.reported_kl_weight)
                sums += torch.stack([cost, loss]) * share
        if world > 1:
            torch.distributed.all_reduce(sums)
        norm = self.fabric.clip_gradients(
            self.network,
            self.fabric_optimizer,
            max_norm=self.training.gradient_clip_norm or math.inf,
            error_if_nonfinite=False,
        )
        norm = cast(Tensor, norm).double()
        self._check(*torch.stack([sums[0], norm]).tolist())
        self.fabric_optimizer.step()
        self.average.after_step()
        self.gradient_norm_sum += norm
        self.cost_and_loss += sums * len(rows)
        self.row += len(rows)
        self.step += 1

    def _check(self, cost: float, gradient_norm: float) -> None:
        """Refuse a step that would spoil the weights."""
        limit = (self.training.loss_spike or math.inf) * self.previous_epoch_loss
        if math.isfinite(gradient_norm) and cost <= limit:
            return
        raise UnstableTrainingError(
            f"loss {cost:.4g} with a gradient norm of {gradient_norm:.4g} in epoch {self.epoch} "
            f"step {self.step + 1}",
            expected=f"finite numbers, and a loss of at most {limit:.4g}",
            next_step="lower training.kl_weight or training.learning_rate",
        )

    def close_epoch(self) -> tuple[EpochMetrics, bool]:
        """Judge the validation rows; return the epoch's record and whether it is the best so far.

        Where weights are averaged, it is their average that is judged, and kept if it is the best.
        """
        self._share_buffers()
        self.average.after_epoch(self.epoch)
        size = self.training.batch_rows(len(self.train_rows.ratings))
        with self.average.applied(self.train_rows.pairs(size)):
            judged = self._validate()
            record = self._record(judged)
            improved = self.best.take(record, self.weights)
        self.history.append(record)
        self.previous_epoch_loss = float(self.cost_and_loss[0]) / len(self.train_rows.ratings)
        self.spent_s += self.seconds
        self.epoch += 1
        self._open_epoch()
        return record, improved

    def _share_buffers(self) -> None:
        """Give every rank the batch statistics of rank 0, so that all judge the same network."""
        if self.fabric.world_size > 1:
            for buffer in self.module.buffers():
                torch.distributed.broadcast(buffer, 0)

    def _record(self, judged: ValidationMetrics) -> EpochMetrics:
        n = len(self.train_rows.ratings)
        train_loss = float(self.cost_and_loss[1]) / n
        for name, value in (("MSE", judged.mse), ("KL", judged.kl)):
            if not math.isfinite(value):
                raise UnstableTrainingError(
                    f"the validation {name} of epoch {self.epoch} is {value}",
                    expected="a finite number",
                    next_step="lower training.learning_rate or training.kl_weight",
                )
        return EpochMetrics(
            epoch=self.epoch,
            train_loss=train_loss,
            val_loss=judged.mse + self.reported_kl_weight * judged.kl,
            val_mse=judged.mse,
            val_rmse=judged.mse**0.5,
            val_kl=judged.kl,
            learning_rate=learning_rate_at(self.epoch, self.training, self.history),
            samples_per_s=n / self.seconds,
            gradient_norm=float(self.gradient_norm_sum) / self.step,
            kl_weight=kl_weight_at(self.epoch, self.training),
            active_units=judged.active_units,
            averaged=bool(self.average.weights),
        )

    def weights(self) -> Weights:
        """Return a copy of the network's weights."""
        return {name: tensor.detach().clone() for name, tensor in self.module.state_dict().items()}

    @torch.inference_mode()
    def _validate(self) -> ValidationMetrics:
        """Judge clipped predictions of the validation rows, in full precision as they will be served."""
        self.module.eval()
        self.module.cache_encodings()
        low, high = self.domain.scale.minimum, self.domain.scale.maximum
        squared, kl, n = 0.0, 0.0, len(self.validation_rows.ratings)
        sums: list[Tensor] = []
        for rows in _batches(torch.arange(n, device=self.fabric.device), VALIDATION_BATCH):
            users, items, moments, ratings = self.validation_rows.at(rows)
            output = self.module(users, items, moments)
            squared += float((output.ratings.clamp(low, high) - ratings).square().sum(dtype=torch.float64))
            kl += float(output.mean_kl) * len(ratings)
            latent = output.latent.double()
            sums.append(torch.stack([latent.sum(0), latent.square().sum(0)]))
        mean, mean_square = torch.stack(sums).sum(0) / n
        variance = mean_square - mean.square()
        active = float((variance > ACTIVE_VARIANCE).double().mean()) if variance.numel() else None
        return ValidationMetrics(squared / n, kl / n, active)

    def state(self) -> tuple[Weights, dict[str, Any]]:
        """Return all that training needs to go on, as tensors and JSON values; every rank takes part."""
        optimizer = {
            f"optimizer.{index}.{name}": value
            for index, values in self.optimizer.state_dict()["state"].items()
            for name, value in values.items()
        }
        tensors = {
            **{f"network.{name}": tensor for name, tensor in self.module.state_dict().items()},
            **{f"best.{name}": tensor for name, tensor in self.best.weights.items()},
            **{f"average.{name}": tensor for name, tensor in self.average.weights.items()},
            **optimizer,
            "cost_and_loss": self.cost_and_loss,
            "gradient_norm_sum": self.gradient_norm_sum,
            "noise": self._of_ranks(torch.get_rng_state()),
        }
        if self.fabric.device.type == "cuda":
            tensors["noise_cuda"] = self._of_ranks(torch.cuda.get_rng_state(self.fabric.device))
        position = {
            "epoch": self.epoch,
            "row": self.row,
            "step": self.step,
            "seconds": self.seconds,
            "spent_s": self.spent_s,
            "order": self.order_before,
            "best": self.best.to_json(),
            "average_count": self.average.count,
            "usual_cost": self.previous_epoch_loss,
            "history": [record.to_json() for record in self.history],
        }
        return tensors, position

    def _of_ranks(self, tensor: Tensor) -> Tensor:
        """Return the ranks' tensors stacked, shape (ranks, ...)."""
        own = tensor.to(self.fabric.device)
        if self.fabric.world_size == 1:
            return own[None].cpu()
        ranks = [torch.empty_like(own) for _ in range(self.fabric.world_size)]
        torch.distributed.all_gather(ranks, own)
        return torch.stack(ranks).cpu()

    def restore(self, tensors: Weights, position: Mapping[str, Any]) -> None:
        """Go back to where `state` was taken, by as many ranks or another number of them."""
        self.module.load_state_dict(_under("network.", tensors))
        slots: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under("optimizer.", tensors).items():
            index, _, slot = name.partition(".")
            slots.setdefault(int(index), {})[slot] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": slots, "param_groups": groups})
        self.average.restore(_under("average.", tensors), position["average_count"])
        self.best.restore(position["best"], _under("best.", tensors))
        self.history = [EpochMetrics(**record) for record in position["history"]]
        self.epoch, self.spent_s = position["epoch"], position["spent_s"]
        self.previous_epoch_loss = position["usual_cost"]
        self.order.bit_generator.state = position["order"]
        self._open_epoch()
        self.row, self.step, self.seconds = position["row"], position["step"], position["seconds"]
        self.cost_and_loss = tensors["cost_and_loss"].to(self.fabric.device)
        self.gradient_norm_sum = tensors["gradient_norm_sum"].to(self.fabric.device)
        self._restore_noise(tensors)

    def _restore_noise(self, tensors: Weights) -> None:
        rank = self.fabric.global_rank
        if rank >= len(tensors["noise"]):
            self._seed_noise(f"noise-from-epoch-{self.epoch}")
            return
        # Cloned, as torch reads a generator's state from the start of the storage that a view is of.
        torch.set_rng_state(tensors["noise"][rank].clone())
        if "noise_cuda" in tensors and self.fabric.device.type == "cuda":
            torch.cuda.set_rng_state(tensors["noise_cuda"][rank].clone(), self.fabric.device)


class ValidationMetrics(NamedTuple):
    """Figures of the validation rows: MSE in stars squared, mean KL, share of active latent units."""

    mse: float
    kl: float
    active_units: float | None


@contextmanager
def _memory_errors(advice: str) -> Iterator[None]:
    """Turn what the allocators of torch raise into a `DeviceMemoryError`."""
    try:
        yield
    except (MemoryError, RuntimeError) as exc:
        words = str(exc)
        if not isinstance(exc, MemoryError | torch.OutOfMemoryError) and "alloc" not in words:
            raise
        raise DeviceMemoryError(f"out of memory ({words.splitlines()[0][:160]})", next_step=advice) from exc


def _under(prefix: str, tensors: Weights) -> Weights:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
