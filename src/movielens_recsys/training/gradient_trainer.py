"""`GradientTrainer`: a run's network, optimiser and rows on their device, and its position."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor

from movielens_recsys.data.splits.split import Split
from movielens_recsys.errors import DeviceMemoryError, UnstableTrainingError
from movielens_recsys.models.base import strip_prefix
from movielens_recsys.models.networks.recommender import NeuralRecommender
from movielens_recsys.seeds import generator
from movielens_recsys.training.allocation import allocation_errors
from movielens_recsys.training.batches import RatingTensors, split_batches
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.early_stopping import BestEpoch, Weights
from movielens_recsys.training.history import EpochMetrics
from movielens_recsys.training.losses import objective, reported_loss
from movielens_recsys.training.noise import noise_state, restore_noise, seed_noise
from movielens_recsys.training.schedules import kl_weight_at, learning_rate_at
from movielens_recsys.training.session import TrainingSession
from movielens_recsys.training.validation import ValidationMetrics, validate
from movielens_recsys.training.weight_averaging import WeightAverage


class GradientTrainer:
    """Trains epoch by epoch and evaluates each on the validation rows.

    With several ranks, every rank has a trainer and all take the same decisions.

    Parameters
    ----------
    training
        How it is trained.
    reported_kl_weight
        The KL weight of the reported losses: that of the planned configuration, even if a remedy has changed
        the one in ``training``.
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
        self.scale = recommender.domain.scale
        train, validation = split.part("train").in_stars(), split.part("validation").in_stars()
        self.fabric = fabric
        recommender.network.embedding_noise = training.embedding_noise
        optimizers = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
        self.optimizer = optimizers[training.optimizer](
            recommender.network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
        )
        self.network, self.fabric_optimizer = fabric.setup(recommender.network, self.optimizer)
        self.module = recommender.network
        self.train_rows = RatingTensors.of(train, self.module, fabric.device)
        self.validation_rows = RatingTensors.of(validation, self.module, fabric.device)
        self.mean_rating = float(train.ratings.mean())
        self.order = generator(training.seed, "order")
        seed_noise(fabric, training.seed, "noise")
        self.average = WeightAverage(self.module, training)
        self.best = BestEpoch(training)
        self.history: list[EpochMetrics] = []
        self.epoch = 1
        self.spent_s = 0.0
        self.previous_objective = math.inf
        self._open_epoch()

    def _open_epoch(self) -> None:
        self.order_before = dict(self.order.bit_generator.state)
        self.row = self.step = 0
        self.seconds = 0.0
        self.objective_and_loss = torch.zeros(2, dtype=torch.float64, device=self.fabric.device)
        self.gradient_norm_sum = torch.zeros((), dtype=torch.float64, device=self.fabric.device)

    @property
    def done(self) -> bool:
        """Whether all epochs are trained or patience has run out, which does not count before SWA begins."""
        return self.epoch > self.training.epochs or (self.best.exhausted and not self.average.pending)

    def train_epoch(self, session: TrainingSession, save: Callable[[], None]) -> bool:
        """Train on every row once in a new order, or on the rest of a resumed epoch; return False if stopped.

        ``save`` is called in between whenever the last checkpoint is too old.
        """
        self.network.train()
        order = torch.as_tensor(self.order.permutation(len(self.train_rows)), device=self.fabric.device)
        size = self.training.batch_rows(len(order))
        batches = split_batches(order[self.row :], size, min_rows=2 * self.fabric.world_size)
        steps = self.step + len(batches)
        started, saved = time.monotonic() - self.seconds, time.monotonic()
        for rows in batches:
            with allocation_errors(_no_memory_for_a_batch):
                self._step(rows, steps)
            for callback in session.callbacks:
                callback.on_step(self.epoch, self.step, steps)
            self.seconds = time.monotonic() - started
            # One rank's clock and signal decide for all: a rank that saved or stopped alone would leave the
            # others waiting in the next collective operation.
            due = self.step < steps and time.monotonic() - saved > self.training.checkpoint_every_s
            stopping, due = self.broadcast_decision(session.stop(), due)
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
        # The whole batch is left out of what the network encodes, not only this rank's micro-batch: else the
        # other rows' targets would leak into the encodings that predict them.
        self.module.mask_targets(rows)
        self.fabric_optimizer.zero_grad()
        sums = self._accumulate_gradients(rows, kl_weight_at(progress, self.training))
        if self.fabric.world_size > 1:
            torch.distributed.all_reduce(sums)
        norm = self.fabric.clip_gradients(
            self.network,
            self.fabric_optimizer,
            max_norm=self.training.gradient_clip_norm or math.inf,
            error_if_nonfinite=False,
        )
        norm = cast(Tensor, norm).double()
        self._check_step(*torch.stack([sums[0], norm]).tolist())
        self.fabric_optimizer.step()
        self.average.after_step()
        self.gradient_norm_sum += norm
        self.objective_and_loss += sums * len(rows)
        self.row += len(rows)
        self.step += 1

    def _accumulate_gradients(self, rows: Tensor, kl_weight: float) -> Tensor:
        """Add up the gradients of this rank's rows; return its part of the means of objective and loss."""
        world = self.fabric.world_size
        local = rows[self.fabric.global_rank :: world]
        parts = split_batches(local, self.training.micro_batch_size or len(local))
        sums = torch.zeros(2, dtype=torch.float64, device=self.fabric.device)
        for number, part in enumerate(parts, start=1):
            users, items, time_context, ratings = self.train_rows.at(part)
            share = len(part) / len(rows)
            with self.fabric.no_backward_sync(self.network, enabled=number < len(parts)):
                output = self.network(users, items, time_context)
                objective_value = objective(output, ratings, self.mean_rating, kl_weight, self.training)
                # DDP averages gradients over ranks, of which each has a share of the batch: times world.
                self.fabric.backward(objective_value * (share * world))
            with torch.no_grad():
                loss = reported_loss(output, ratings, self.reported_kl_weight)
                sums += torch.stack([objective_value, loss]) * share
        return sums

    def _check_step(self, objective_value: float, gradient_norm: float) -> None:
        """Refuse a step that would ruin the weights, before the optimiser takes it."""
        limit = (self.training.loss_spike or math.inf) * self.previous_objective
        if math.isfinite(gradient_norm) and objective_value <= limit:
            return
        raise UnstableTrainingError(
            f"loss {objective_value:.4g} with a gradient norm of {gradient_norm:.4g} in epoch {self.epoch} "
            f"step {self.step + 1}",
            expected=f"finite numbers, and a loss of at most {limit:.4g}",
            next_step="lower training.kl_weight or training.learning_rate",
        )

    def close_epoch(self) -> tuple[EpochMetrics, bool]:
        """Evaluate the validation rows; return the epoch's metrics and whether it is the best so far.

        Where weights are averaged, the average is evaluated, and kept if it is the best.
        """
        self._share_buffers()
        self.average.after_epoch(self.epoch)
        size = self.training.batch_rows(len(self.train_rows))
        with self.average.applied(self.train_rows.pairs(size)):
            record = self._metrics(validate(self.module, self.validation_rows, self.scale.in_stars()))
            improved = self.best.take(record, self.weights)
        self.history.append(record)
        self.previous_objective = float(self.objective_and_loss[0]) / len(self.train_rows)
        self.spent_s += self.seconds
        self.epoch += 1
        self._open_epoch()
        return record, improved

    def _share_buffers(self) -> None:
        """Give every rank the batch statistics of rank 0, so that all evaluate the same network."""
        if self.fabric.world_size > 1:
            for buffer in self.module.buffers():
                torch.distributed.broadcast(buffer, 0)

    def _metrics(self, validation: ValidationMetrics) -> EpochMetrics:
        n = len(self.train_rows)
        train_loss = float(self.objective_and_loss[1]) / n
        for name, value in (("MSE", validation.mse), ("KL", validation.kl)):
            if not math.isfinite(value):
                raise UnstableTrainingError(
                    f"the validation {name} of epoch {self.epoch} is {value}",
                    expected="a finite number",
                    next_step="lower training.learning_rate or training.kl_weight",
                )
        return EpochMetrics(
            epoch=self.epoch,
            train_loss=train_loss,
            val_loss=validation.mse + self.reported_kl_weight * validation.kl,
            val_mse=validation.mse * self.scale.star**2,
            val_rmse=validation.mse**0.5 * self.scale.star,
            val_kl=validation.kl,
            learning_rate=learning_rate_at(self.epoch, self.training, self.history),
            samples_per_s=n / self.seconds,
            gradient_norm=float(self.gradient_norm_sum) / self.step,
            kl_weight=kl_weight_at(self.epoch, self.training),
            active_units=validation.active_units,
            averaged=bool(self.average.weights),
        )

    def weights(self) -> Weights:
        """Return a copy of the network's weights."""
        return {name: tensor.detach().clone() for name, tensor in self.module.state_dict().items()}

    def state(self) -> tuple[Weights, dict[str, Any]]:
        """Return all that training needs to continue, as tensors and JSON values; every rank takes part."""
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
            "cost_and_loss": self.objective_and_loss,  # the key of older checkpoints
            "gradient_norm_sum": self.gradient_norm_sum,
            **noise_state(self.fabric),
        }
        position = {
            "epoch": self.epoch,
            "row": self.row,
            "step": self.step,
            "seconds": self.seconds,
            "spent_s": self.spent_s,
            # From before the epoch: a resumed one draws the same permutation again and skips ``row`` rows.
            "order": self.order_before,
            "best": self.best.to_json(),
            "average_count": self.average.count,
            "usual_cost": self.previous_objective,  # the key of older checkpoints
            "history": [record.to_json() for record in self.history],
        }
        return tensors, position

    def restore(self, tensors: Weights, position: Mapping[str, Any]) -> None:
        """Return to the position of a `state`, saved by as many ranks or another number of them."""
        self.module.load_state_dict(strip_prefix("network.", tensors))
        slots: dict[int, dict[str, Tensor]] = {}
        for name, tensor in strip_prefix("optimizer.", tensors).items():
            index, _, slot = name.partition(".")
            slots.setdefault(int(index), {})[slot] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": slots, "param_groups": groups})
        self.average.restore(strip_prefix("average.", tensors), position["average_count"])
        self.best.restore(position["best"], strip_prefix("best.", tensors))
        self.history = [EpochMetrics(**record) for record in position["history"]]
        self.epoch, self.spent_s = position["epoch"], position["spent_s"]
        self.previous_objective = position["usual_cost"]
        self.order.bit_generator.state = position["order"]
        self._open_epoch()
        self.row, self.step, self.seconds = position["row"], position["step"], position["seconds"]
        self.objective_and_loss = tensors["cost_and_loss"].to(self.fabric.device)
        self.gradient_norm_sum = tensors["gradient_norm_sum"].to(self.fabric.device)
        restore_noise(self.fabric, tensors, self.training.seed, self.epoch)


def _no_memory_for_a_batch(words: str) -> DeviceMemoryError:
    return DeviceMemoryError(
        f"out of memory ({words})", next_step="set training.micro_batch_size to less than the batch"
    )
