"""Early stopping: the best epoch's weights, and the end of training when no better one comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.history import EpochMetrics

Weights = dict[str, Tensor]


class BestEpoch:
    """The best epoch so far by the monitored metric, its weights, and the number of epochs since."""

    def __init__(self, training: TrainingConfig) -> None:
        stopping = training.early_stopping
        self.monitor = stopping.monitor if stopping else "val_rmse"
        self.min_delta = stopping.min_delta if stopping else 0.0
        self.patience = stopping.patience if stopping else None
        self.value = float("inf")
        self.epoch: int | None = None
        self.waited = 0
        self.weights: Weights = {}

    def take(self, record: EpochMetrics, weights: Callable[[], Weights]) -> bool:
        """Keep ``weights()`` if ``record`` is the best so far; return whether it is."""
        value = float(getattr(record, self.monitor))
        if value < self.value - self.min_delta:
            self.value, self.epoch, self.waited, self.weights = value, record.epoch, 0, weights()
            return True
        self.waited += 1
        return False

    @property
    def exhausted(self) -> bool:
        """Whether patience has run out.

        `GradientTrainer.done` does not end training then while weight averaging has yet to begin.
        """
        return self.patience is not None and self.waited >= self.patience

    @property
    def reason(self) -> str:
        """The reason why training ended, in words."""
        if self.exhausted:
            return f"{self.monitor} did not improve for {self.waited} epochs"
        return "all epochs done"

    def to_json(self) -> dict[str, Any]:
        """Return all but the weights."""
        return {"value": self.value, "epoch": self.epoch, "waited": self.waited}

    def restore(self, values: Mapping[str, Any], weights: Weights) -> None:
        """Restore the state of `to_json` and the weights."""
        self.value, self.epoch, self.waited = values["value"], values["epoch"], values["waited"]
        self.weights = weights
