"""`TrainingConfig`: optimisation, schedules and precision, whatever the model."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from movielens_recsys.config import Config

VALIDATION_BATCH = 65_536
"""Pairs that are evaluated at once; it affects memory and no metric."""

Share = Annotated[float, Field(ge=0, le=1)]
Epochs = Annotated[int, Field(ge=1, le=100_000)]
LearningRate = Annotated[float, Field(gt=0, le=10)]


class EarlyStopping(Config):
    """Stop after ``patience`` epochs without an improvement of more than ``min_delta`` on ``monitor``."""

    monitor: Literal["val_rmse", "val_loss"] = "val_rmse"
    patience: Annotated[int, Field(ge=1)] = 5
    min_delta: Annotated[float, Field(ge=0)] = 0.0


class KLAnnealing(Config):
    """KL annealing: the weight rises from ``beta_min`` to ``kl_weight`` within the first ``epochs`` epochs.

    ``cyclical`` does so ``cycles`` times, each rising for the fraction ``ramp`` of its length and then
    constant. `training.schedules` has the formulas.
    """

    shape: Literal["linear", "cosine", "cyclical"] = "linear"
    beta_min: Annotated[float, Field(ge=0, le=100)] = 0.0
    epochs: Epochs = 10
    cycles: Annotated[int, Field(ge=1, le=1_000)] = 4
    ramp: Annotated[float, Field(gt=0, le=1)] = 0.5


class LearningRateSchedule(Config):
    """Learning rate schedule: linear warm-up over ``warmup_epochs``, then by its ``shape``.

    ``cosine`` falls to the fraction ``final_share`` at the last epoch; ``plateau`` multiplies by ``factor``
    each time that ``val_rmse`` has not improved for ``patience`` epochs. The formulas are in
    `training.schedules`.
    """

    shape: Literal["constant", "cosine", "plateau"] = "constant"
    warmup_epochs: Annotated[float, Field(ge=0, le=100_000)] = 0.0
    final_share: Share = 0.0
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    patience: Annotated[int, Field(ge=1)] = 3


class SWA(Config):
    """Stochastic weight averaging from the fraction ``start`` of all epochs on, at its own learning rate.

    ``learning_rate: null`` keeps the schedule's. See `training.weight_averaging`.
    """

    start: Annotated[float, Field(ge=0, lt=1)] = 0.75
    learning_rate: LearningRate | None = None


class EMA(Config):
    """Exponential moving average of the weights with this ``decay`` per step; `training.weight_averaging`."""

    decay: Annotated[float, Field(gt=0, lt=1)] = 0.999


class TrainingConfig(Config):
    """Optimisation of one run; models solved in closed form use only ``seed``.

    The reported loss is MSE + ``kl_weight`` x KL, the KL averaged over latent units, for models that have
    one. The minimised objective differs from it by the techniques that are on: ``kl_annealing``,
    ``free_bits``, ``label_smoothing`` and ``nll_weight``.

    A step whose objective is above ``loss_spike`` times the mean of the epoch before ends training before it
    changes the weights, and so does one that is not finite.

    Attributes
    ----------
    seed
        Seed of the initial weights, of the order of the rows and of all else that is drawn.
    epochs
        Maximum number of passes over the training rows; early stopping may end before.
    batch_size
        Training rows of one step.
    batch_fraction
        Training rows of one step as a fraction of all; replaces ``batch_size``. A model that encodes users
        and items from their ratings leaves the step's rows out of what it encodes, so that the batch decides
        how much of the data is hidden in each step; for it 0.1 is a good value at any size.
    micro_batch_size
        Rows of a step that are in memory at once; none: all.
    optimizer
        Adam, or AdamW, whose weight decay is decoupled.
    learning_rate
        Step size, before the schedule.
    learning_rate_schedule
        How the learning rate changes over the epochs.
    weight_decay
        L2 penalty on the weights.
    gradient_clip_norm
        Norm to which a longer gradient is shortened; none: never.
    kl_weight
        Weight of the KL in the loss.
    kl_annealing
        How the weight of the KL rises in the first epochs; none: it is constant.
    free_bits
        Nats of each latent unit's KL that are not penalised.
    nll_weight
        Weight of an ordinal model's negative log likelihood of the ratings, added to the MSE.
    embedding_noise
        Standard deviation of the noise added to embeddings in training.
    label_smoothing
        Fraction of a rating's distance from the mean that is subtracted from its target.
    swa, ema
        Averages of the weights, of which at most one is on: stochastic weight averaging, or an exponential
        moving average.
    early_stopping
        When training ends before ``epochs``; none: never.
    loss_spike
        Multiple of the mean objective of the epoch before from which a step ends training; none: any.
    checkpoint_every_s
        Within long epochs, seconds between two checkpoints.
    device
        Where it trains; auto: on a GPU if there is one.
    precision
        Number format of the training's matrix products.
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
        """Return the number of rows of one step, of ``n_rows`` training rows."""
        return self.batch_size if self.batch_fraction is None else math.ceil(self.batch_fraction * n_rows)

    @model_validator(mode="after")
    def _at_most_one_average(self) -> Self:
        if self.swa is not None and self.ema is not None:
            raise ValueError("swa and ema are both set; expected at most one of them")
        return self

    @model_validator(mode="after")
    def _annealing_rises(self) -> Self:
        if self.kl_annealing is not None and self.kl_annealing.beta_min > self.kl_weight:
            raise ValueError(
                f"kl_annealing.beta_min {self.kl_annealing.beta_min:g} is above kl_weight {self.kl_weight:g}"
            )
        return self
