"""How a model is trained, apart from what the model is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from movielens_recsys.config import Config

VALIDATION_BATCH = 65_536
"""Pairs that are judged at once; it decides memory, no figure."""


class EarlyStopping(Config):
    """Stop after ``patience`` epochs without an improvement of more than ``min_delta`` on ``monitor``."""

    monitor: Literal["val_rmse", "val_loss"] = "val_rmse"
    patience: Annotated[int, Field(ge=1)] = 5
    min_delta: Annotated[float, Field(ge=0)] = 0.0


class TrainingConfig(Config):
    """Optimisation of one run; models solved in closed form use only ``seed``.

    ``kl_weight`` multiplies the KL term of the loss, averaged over latent dimensions, of models
    that have one: loss = MSE + kl_weight x KL.
    """

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    epochs: Annotated[int, Field(ge=1, le=100_000)] = 50
    batch_size: Annotated[int, Field(ge=1, le=10_000_000)] = 2048
    optimizer: Literal["adam", "adamw"] = "adam"
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 5e-4
    weight_decay: Annotated[float, Field(ge=0, le=10)] = 1e-5
    gradient_clip_norm: Annotated[float, Field(gt=0)] | None = 1.0
    kl_weight: Annotated[float, Field(ge=0, le=100)] = 0.01
    early_stopping: EarlyStopping | None = EarlyStopping()
    device: Literal["auto", "cpu", "cuda"] = "auto"
