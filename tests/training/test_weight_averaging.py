from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tests.training.small import NEUMF, PLAIN, VAE, trained
from torch import nn

from movielens_recsys.data.splits.split import Split
from movielens_recsys.training.checkpoints import read_checkpoint
from movielens_recsys.training.config import (
    EMA,
    SWA,
    EarlyStopping,
)
from movielens_recsys.training.fit import fit
from movielens_recsys.training.history import TrainingCallback
from movielens_recsys.training.session import TrainingSession
from movielens_recsys.training.weight_averaging import WeightAverage, refresh_statistics


def test_swa_has_its_own_learning_rate_and_is_the_mean_of_its_epochs(split: Split, tmp_path: Path) -> None:
    weights = []

    class Keep(TrainingCallback):
        def on_checkpoint(self, epoch: int, step: int) -> None:
            weights.append(read_checkpoint(tmp_path / "last.ckpt")[0])

    training = PLAIN.model_copy(update={"swa": SWA(start=0.5, learning_rate=1e-3)})
    _, result = fit(NEUMF, training, split, TrainingSession(callbacks=[Keep()], checkpoint_folder=tmp_path))
    assert [record.averaged for record in result.history] == [False, False, True, True]
    assert [record.learning_rate for record in result.history] == [5e-3, 5e-3, 1e-3, 1e-3]
    name = "output.weight"
    mean = (weights[2][f"network.{name}"] + weights[3][f"network.{name}"]) / 2
    torch.testing.assert_close(weights[3][f"average.{name}"], mean)


def test_patience_does_not_end_a_training_before_swa_begins(split: Split) -> None:
    changes = {"epochs": 30, "learning_rate": 0.05, "early_stopping": EarlyStopping(patience=1)}
    _, early = trained(NEUMF, split, **changes)
    _, history = trained(NEUMF, split, swa=SWA(start=0.5), **changes)
    assert len(early) < 15 < len(history)


def test_an_ema_follows_its_formula() -> None:
    network = nn.Linear(2, 1)
    average = WeightAverage(network, PLAIN.model_copy(update={"ema": EMA(decay=0.75)}))
    expected = None
    for value in (1.0, 2.0, 4.0):
        nn.init.constant_(network.weight, value)
        average.after_step()
        expected = value if expected is None else 0.75 * expected + 0.25 * value
    torch.testing.assert_close(average.weights["weight"], torch.full((1, 2), expected))


def test_averaged_weights_are_evaluated_with_their_own_statistics(split: Split) -> None:
    batch_normalised = VAE.model_copy(update={"normalization": "batch"})
    model, history = trained(batch_normalised, split, ema=EMA(decay=0.9))
    best = min(history, key=lambda record: record.val_rmse)
    rows = split.part("validation")
    error = model.predict(rows.users, rows.items) - rows.ratings
    assert float((error**2).mean()) == pytest.approx(best.val_mse, rel=1e-5)


def test_statistics_are_means_over_all_pairs() -> None:
    class Norm(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm1d(1)

        def forward(self, users: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
            return self.norm((users + items).float()[:, None])

    network = Norm()
    network.norm.running_mean.fill_(99)
    zeros = torch.zeros(2, dtype=torch.int64)
    refresh_statistics(network, [(torch.tensor([1, 3]), zeros), (torch.tensor([5, 7]), zeros)])
    assert network.norm.running_mean.tolist() == pytest.approx([4.0])
    assert (network.norm.momentum, network.norm.training) == (0.1, False)


def test_the_weights_come_back_after_an_error_while_statistics_are_measured() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    average = WeightAverage(network, PLAIN.model_copy(update={"ema": EMA(decay=0.5)}))
    average.after_step()
    nn.init.constant_(network[0].weight, 7.0)

    def pairs_without_memory() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        raise MemoryError
        yield

    with pytest.raises(MemoryError), average.applied(pairs_without_memory()):
        pass
    torch.testing.assert_close(network[0].weight, torch.full((2, 2), 7.0))
