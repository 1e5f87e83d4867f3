"""How a model is trained, apart from what the model is."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from movielens_recsys.config import Config

VALIDATION_BATCH = 65_536
"""Pairs that are judged at once; it decides memory, no figure."""

Share = Annotated[float, Field(ge=0, le=1)]
Epochs = Annotated[int, Field(ge=1, le=100_000)]
LearningRate = Annotated[float, Field(gt=0, le=10)]


class EarlyStopping(Config):
    """Stop after ``patience`` epochs without an improvement of more than ``min_delta`` on ``monitor``."""

    monitor: Literal["val_rmse", "val_loss"] = "val_rmse"
    patience: Annotated[int, Field(ge=1)] = 5
    min_delta: Annotated[float, Field(ge=0)] = 0.0


class KLAnnealing(Config):
    """The KL term's way up from ``beta_min`` to ``kl_weight`` within the first ``epochs`` epochs.

    ``cyclical`` makes the way ``cycles`` times, each rising for the share ``ramp`` of its length and then
    staying. `training.schedules` has the formulas.
    """

    shape: Literal["linear", "cosine", "cyclical"] = "linear"
    beta_min: Annotated[float, Field(ge=0, le=100)] = 0.0
    epochs: Epochs = 10
    cycles: Annotated[int, Field(ge=1, le=1_000)] = 4
    ramp: Annotated[float, Field(gt=0, le=1)] = 0.5


class LearningRateSchedule(Config):
    """How the learning rate moves: linearly up over ``warmup_epochs``, then by its ``shape``.

    ``cosine`` falls to the share ``final_share`` at the last epoch; ``plateau`` is multiplied by ``factor``
    each time that ``val_rmse`` has not improved for ``patience`` epochs. The formulas are in
    `training.schedules`.
    """

    shape: Literal["constant", "cosine", "plateau"] = "constant"
    warmup_epochs: Annotated[float, Field(ge=0, le=100_000)] = 0.0
    final_share: Share = 0.0
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    patience: Annotated[int, Field(ge=1)] = 3


class SWA(Config):
    """Stochastic weight averaging from the share ``start`` of all epochs on, at a learning rate of its own.

    ``learning_rate: null`` keeps the schedule's. See `training.averaging`.
    """

    start: Annotated[float, Field(ge=0, lt=1)] = 0.75
    learning_rate: LearningRate | None = None


class EMA(Config):
    """An exponential moving average of the weights, with this ``decay`` a step. See `training.averaging`."""

    decay: Annotated[float, Field(gt=0, lt=1)] = 0.999


class TrainingConfig(Config):
    """Optimisation of one run; models solved in closed form use only ``seed``.

    What is reported as a loss is MSE + ``kl_weight`` x KL, the KL averaged over latent units, of models that
    have one. What is minimised differs from it by the techniques that are on: ``kl_annealing``,
    ``free_bits`` (nats of each latent unit's KL that cost nothing), ``label_smoothing`` (the share of a
    rating's distance from the mean that is taken off its target) and ``nll_weight`` (of an ordinal model's
    negative log likelihood of the ratings, added to the MSE).

    ``batch_size`` rows make one step, or the share ``batch_fraction`` of all training rows, if that is set;
    ``micro_batch_size``, if set, is how many of them are in memory at once. A model that encodes people and
    films from their ratings leaves the step's rows out of what it encodes, so that there the batch is a share
    in meaning: a tenth is a good one.
    ``embedding_noise`` is the standard deviation of what is added to embedding rows in training.
    A step whose objective is above ``loss_spike`` times the mean of the epoch before ends training before it
    touches the weights, and so does one that is no number. Between epochs, a checkpoint is written whenever
    the last one is ``checkpoint_every_s`` seconds old.
    """

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    epochs: Epochs = 50
    batch_size: Annotated[int, Field(ge=1, le=10_000_000)] = 2048
    batch_fraction: Annotated[float, Field(gt=0, le=0.5)] | None = Field(
        default=None, serialization_alias="batch_share"
    )
    micro_batch_size: Annotated[int, Field(ge=2)] | None = None
    optimizer: Literal["adam", "adamw"] = "adam"
    learning_rate: LearningRate = 5e-4
    learning_rate_schedule: LearningRateSchedule = LearningRateSchedule()
    weight_decay: Annotated[float, Field(ge=0, le=10)] = 1e-5
    gradient_clip_norm: Annotated[float, Field(gt=0)] | None = 1.0
    kl_weight: Annotated[float, Field(ge=0, le=100)] = 0.01
    kl_annealing: KLAnnealing | None = None
    free_bits: Annotated[float, Field(ge=0, le=100)] = 0.0
    nll_weight: Annotated[float, Field(ge=0, le=100)] = 0.0
    embedding_noise: Annotated[float, Field(ge=0, le=100, serialization_alias="input_noise")] = 0.0
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    swa: SWA | None = None
    ema: EMA | None = None
    early_stopping: EarlyStopping | None = EarlyStopping()
    loss_spike: Annotated[float, Field(gt=1)] | None = 10.0
    checkpoint_every_s: Annotated[float, Field(gt=0)] = 300.0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["float32", "bf16"] = "float32"

    def batch_rows(self, n_rows: int) -> int:
        """Return how many of ``n_rows`` training rows make one step."""
        return self.batch_size if self.batch_fraction is None else math.ceil(self.batch_fraction * n_rows)

    @model_validator(mode="after")
    def _one_average(self) -> Self:
        if self.swa is not None and self.ema is not None:
            raise ValueError("swa and ema are both set; expected at most one of them")
        return self

    @model_validator(mode="after")
    def _rises_to_the_weight(self) -> Self:
        if self.kl_annealing is not None and self.kl_annealing.beta_min > self.kl_weight:
            raise ValueError(
                f"kl_annealing.beta_min {self.kl_annealing.beta_min:g} is above kl_weight {self.kl_weight:g}"
            )
        return self
