"""The best epoch is the first of the lowest values, by more than the smallest change that counts."""

from __future__ import annotations

from typing import Literal

import torch

from movielens_recsys.training.config import EarlyStopping, TrainingConfig
from movielens_recsys.training.early_stopping import BestEpoch, Weights
from movielens_recsys.training.history import EpochMetrics


def record(epoch: int, rmse: float, loss: float = 1.0) -> EpochMetrics:
    return EpochMetrics(epoch, 1, loss, rmse**2, rmse, 0, 1, 1)


def best_of(stopping: EarlyStopping | None, *rmse: float) -> tuple[BestEpoch, list[bool]]:
    best = BestEpoch(TrainingConfig(early_stopping=stopping))
    return best, [
        best.take(record(epoch, value), lambda epoch=epoch: weights(epoch))
        for epoch, value in enumerate(rmse, start=1)
    ]


def weights(epoch: int) -> Weights:
    return {"weight": torch.tensor(float(epoch))}


def test_only_a_lower_value_is_an_improvement_and_its_weights_are_kept() -> None:
    best, improved = best_of(EarlyStopping(patience=2), 1.0, 0.9, 0.9, 0.8, 0.85)
    assert improved == [True, True, False, True, False]
    assert (best.epoch, best.value, best.waited) == (4, 0.8, 1)
    assert best.weights == weights(4)
    assert not best.exhausted
    assert best.reason == "all epochs done"


def test_patience_counts_the_epochs_since_the_best() -> None:
    best, _ = best_of(EarlyStopping(patience=2), 0.9, 1.0, 0.91)
    assert best.exhausted
    assert best.reason == "val_rmse did not improve for 2 epochs"
    assert not best_of(None, 0.9, *[1.0] * 50)[0].exhausted


def test_an_improvement_of_min_delta_alone_does_not_count() -> None:
    best, improved = best_of(EarlyStopping(min_delta=0.25), 1.0, 0.75, 0.5)
    assert improved == [True, False, True]
    assert best.epoch == 3


def test_the_monitored_metric_decides() -> None:
    monitor: Literal["val_loss"] = "val_loss"
    best = BestEpoch(TrainingConfig(early_stopping=EarlyStopping(monitor=monitor)))
    assert best.take(record(1, 0.9, loss=2.0), dict)
    assert best.take(record(2, 1.5, loss=1.0), dict)
    assert best.epoch == 2


def test_weights_are_copied_only_for_an_improvement() -> None:
    best, _ = best_of(EarlyStopping(), 0.5)

    def fail() -> Weights:
        raise AssertionError("not to be called")

    assert not best.take(record(2, 0.6), fail)


def test_a_restored_state_waits_on() -> None:
    before, _ = best_of(EarlyStopping(patience=3), 0.9, 1.0, 1.0)
    after = BestEpoch(TrainingConfig(early_stopping=EarlyStopping(patience=3)))
    after.restore(before.to_json(), before.weights)
    assert not after.take(record(4, 0.95), dict)
    assert (after.epoch, after.exhausted, after.weights) == (1, True, weights(1))
