"""Several devices train the same model as one: here two processes on the CPU, joined by gloo."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
import torch

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.errors import TrainingError, TrainingStopped
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.neumf_config import NeuMFConfig
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.fit import fit
from movielens_recsys.training.history import EpochMetrics, TrainingCallback
from movielens_recsys.training.session import TrainingSession

NCF = NeuMFConfig(n_factors=4, hidden_dims=(8,), dropout=0.0)
TRAINING = TrainingConfig(epochs=4, batch_size=256, learning_rate=5e-3, device="cpu")
TOLERANCE = 1e-5
"""Relative, between one process and two after four epochs: sums in another order."""


@pytest.fixture(scope="module")
def split() -> Split:
    return make_split(synthetic_ratings(100, 80, 3_000, seed=4).ratings, RandomSplit(seed=4))


def same(history: tuple[EpochMetrics, ...], other: tuple[EpochMetrics, ...]) -> bool:
    figures = ("train_loss", "val_loss", "val_rmse", "gradient_norm")
    return len(history) == len(other) and all(
        getattr(one, name) == pytest.approx(getattr(two, name), rel=TOLERANCE)
        for one, two in zip(history, other, strict=True)
        for name in figures
    )


def test_two_processes_with_half_a_batch_each_train_like_one(split: Split) -> None:
    _, one = fit(NCF, TRAINING, split)
    _, two = fit(NCF, TRAINING.model_copy(update={"micro_batch_size": 50}), split, TrainingSession(devices=2))
    assert same(one.history, two.history)
    assert one.best_epoch == two.best_epoch


def test_checkpoints_move_between_one_device_and_two(split: Split, tmp_path: Path) -> None:
    _, expected = fit(NCF, TRAINING, split)
    stops = iter([(1, 14), (2, 13)])
    for devices, last in stops:
        calls = iter(range(1_000))
        with pytest.raises(TrainingStopped):
            fit(
                NCF,
                TRAINING,
                split,
                TrainingSession(
                    devices=devices,
                    checkpoint_folder=tmp_path,
                    resume=True,
                    stop=lambda calls=calls, last=last: next(calls) == last,
                ),
            )
    _, result = fit(NCF, TRAINING, split, TrainingSession(checkpoint_folder=tmp_path, resume=True))
    assert same(expected.history, result.history)


def test_two_interrupted_processes_end_like_uninterrupted_ones(split: Split, tmp_path: Path) -> None:
    vae = HybridVAEConfig(n_factors=6, hidden_dims=(12,), latent_dim=4, normalization="batch")
    whole, expected = fit(vae, TRAINING, split, TrainingSession(devices=2))
    calls = iter(range(1_000))
    with pytest.raises(TrainingStopped):
        fit(
            vae,
            TRAINING,
            split,
            TrainingSession(devices=2, checkpoint_folder=tmp_path, stop=lambda: next(calls) == 13),
        )
    model, result = fit(
        vae, TRAINING, split, TrainingSession(devices=2, checkpoint_folder=tmp_path, resume=True)
    )
    assert [record.val_rmse for record in result.history] == [r.val_rmse for r in expected.history]
    assert all((model.state()[name] == array).all() for name, array in whole.state().items())


def test_a_rank_that_dies_ends_the_training_with_an_error(split: Split) -> None:
    class Kill(TrainingCallback):
        def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
            (worker,) = multiprocessing.active_children()
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)

    with pytest.raises(TrainingError, match="rank-1 of 2 ended with exit code -9"):
        fit(NCF, TRAINING, split, TrainingSession(devices=2, callbacks=[Kill()]))
    assert multiprocessing.active_children() == []


def test_a_missing_gpu_is_an_error(split: Split) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(TrainingError, match="no GPU can be used here"):
        fit(NCF, TRAINING.model_copy(update={"device": "cuda"}), split)
