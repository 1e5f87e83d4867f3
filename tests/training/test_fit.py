"""The loop: its figures, its choice of epoch, its checkpoints, its refusals."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from movielens_recsys.data.scale import Scale
from movielens_recsys.data.splits.split import Split
from movielens_recsys.errors import TrainingError
from movielens_recsys.models.baselines_config import UserItemBiasConfig
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.neumf_config import NeuMFConfig
from movielens_recsys.training.checkpoints import read_checkpoint
from movielens_recsys.training.config import EarlyStopping, TrainingConfig
from movielens_recsys.training.fit import fit
from movielens_recsys.training.history import EpochMetrics, TrainingCallback
from movielens_recsys.training.session import TrainingSession

VAE = HybridVAEConfig(n_factors=6, hidden_dims=(12,), latent_dim=4)
TRAINING = TrainingConfig(epochs=4, batch_size=256, learning_rate=5e-3, kl_weight=0.1)


class Recorder(TrainingCallback):
    def __init__(self) -> None:
        self.steps: list[tuple[int, int, int]] = []
        self.epochs: list[tuple[EpochMetrics, bool]] = []

    def on_step(self, epoch: int, step: int, steps: int) -> None:
        self.steps.append((epoch, step, steps))

    def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
        self.epochs.append((record, improved))


def test_loss_and_rmse_follow_their_definitions(split: Split) -> None:
    model, result = fit(VAE, TRAINING, split)
    validation = split.part("validation")
    best = result.best
    assert best is not None
    error = model.predict(validation.users, validation.items) - validation.ratings
    assert best.val_mse == pytest.approx(float(np.mean(error**2)), rel=1e-5)
    assert best.val_rmse == pytest.approx(best.val_mse**0.5)
    assert best.val_loss == pytest.approx(best.val_mse + 0.1 * best.val_kl)
    assert best.val_kl > 0


def test_on_another_scale_losses_are_in_stars_and_the_rmse_in_ratings(split: Split) -> None:
    ratings = split.ratings
    percent = replace(ratings, ratings=(ratings.ratings - 1) * 25, scale=Scale(0, 100, 25))
    (_, in_stars), (model, in_percent) = (
        fit(VAE, TRAINING, s) for s in (split, replace(split, ratings=percent))
    )
    for ours, theirs in zip(in_percent.history, in_stars.history, strict=True):
        assert ours.train_loss == pytest.approx(theirs.train_loss, rel=1e-3)
        assert ours.val_rmse == pytest.approx(25 * theirs.val_rmse, rel=1e-3)
    rows = replace(split, ratings=percent).part("validation")
    errors = model.predict(rows.users, rows.items) - rows.ratings
    best = min(record.val_rmse for record in in_percent.history)
    assert best == pytest.approx(float(np.sqrt(np.mean(errors**2))), rel=1e-5)


def test_the_best_epoch_is_kept_and_every_one_reported(split: Split) -> None:
    recorder = Recorder()
    _, result = fit(VAE, TRAINING, split, TrainingSession(callbacks=[recorder]))
    assert [record for record, _ in recorder.epochs] == list(result.history)
    assert [record.epoch for record in result.history] == [1, 2, 3, 4]
    assert result.best_epoch == min(result.history, key=lambda record: record.val_rmse).epoch
    lowest = list(itertools.accumulate((record.val_rmse for record in result.history), min))
    expected = [True, *(now < before for before, now in itertools.pairwise(lowest))]
    assert [improved for _, improved in recorder.epochs] == expected
    steps = -(-len(split.train) // 256)
    assert recorder.steps == [(epoch, step, steps) for epoch in range(1, 5) for step in range(1, steps + 1)]
    assert result.stopped_because == "all epochs done"


def test_early_stopping_waits_its_patience_and_no_longer(split: Split) -> None:
    stopping = EarlyStopping(monitor="val_loss", patience=2)
    training = TRAINING.model_copy(update={"epochs": 200, "learning_rate": 0.05, "early_stopping": stopping})
    _, result = fit(VAE, training, split)
    assert result.best_epoch is not None
    assert len(result.history) == result.best_epoch + 2 < 200
    assert result.stopped_because == "val_loss did not improve for 2 epochs"
    assert result.best_epoch == min(result.history, key=lambda record: record.val_loss).epoch


def test_checkpoints_hold_the_last_and_the_best_epoch(split: Split, tmp_path: Path) -> None:
    training = TRAINING.model_copy(update={"epochs": 12, "learning_rate": 0.05, "early_stopping": None})
    model, result = fit(VAE, training, split, TrainingSession(checkpoint_folder=tmp_path))
    last, position = read_checkpoint(tmp_path / "last.ckpt")
    best, best_record = read_checkpoint(tmp_path / "best.ckpt")
    assert position["history"] == [record.to_json() for record in result.history]
    assert result.best is not None
    assert best_record == result.best.to_json()
    assert result.best_epoch != len(result.history), "the test needs a run whose last epoch is not its best"
    weights = {f"network.{name}": tensor.numpy() for name, tensor in best.items()}
    state = model.state()
    assert all(np.array_equal(state[name], weight) for name, weight in weights.items())
    assert not all(torch.equal(last[f"network.{name}"], best[name]) for name in best)
    assert all(torch.equal(last[f"best.{name}"], best[name]) for name in best)


def test_another_seed_gives_another_model(split: Split) -> None:
    models = [fit(VAE, TRAINING.model_copy(update={"seed": seed}), split)[0] for seed in (0, 1)]
    first, second = (model.state()["network.output.weight"] for model in models)
    assert not np.array_equal(first, second)


def test_closed_form_models_need_no_validation_rows(split: Split) -> None:
    bare = Split(split.ratings, split.config, split.train, np.array([], np.int64), split.test)
    model, result = fit(UserItemBiasConfig(), TRAINING, bare)
    assert (result.history, result.best_epoch, result.best) == ((), None, None)
    assert model.n_users == split.ratings.n_users
    with pytest.raises(TrainingError, match="no validation rows"):
        fit(VAE, TRAINING, bare)


def test_a_loss_that_is_not_finite_is_an_error(split: Split) -> None:
    training = TRAINING.model_copy(
        update={"learning_rate": 10.0, "kl_weight": 100.0, "gradient_clip_norm": None}
    )
    with pytest.raises(TrainingError, match="lower training"):
        fit(VAE, training, split)


def test_a_last_batch_of_one_row_trains(split: Split) -> None:
    training = TRAINING.model_copy(update={"epochs": 1, "batch_size": len(split.train) - 1})
    for config in (
        VAE,
        NeuMFConfig(n_factors=4, hidden_dims=(8,)),
        VAE.model_copy(update={"normalization": "batch"}),
    ):
        _, result = fit(config, training, split)
        assert len(result.history) == 1


def test_the_gradient_norm_is_measured_before_clipping(split: Split) -> None:
    unclipped = TRAINING.model_copy(update={"gradient_clip_norm": None})
    clipped = TRAINING.model_copy(update={"gradient_clip_norm": 1e-3})
    without, loose, tight = (
        fit(VAE, training, split)[1].history[0].gradient_norm
        for training in (unclipped, TRAINING.model_copy(update={"gradient_clip_norm": 1e9}), clipped)
    )
    assert without == loose
    assert tight is not None
    assert tight > 1e-2


@pytest.mark.parametrize(
    "solve",
    [
        lambda: np.linalg.solve(np.zeros((2, 2)), np.zeros(2)),
        lambda: torch.linalg.cholesky(torch.zeros(2, 2)),
    ],
    ids=["numpy", "torch"],
)
def test_equations_without_a_solution_are_named(
    solve: Callable[[], object], split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("movielens_recsys.training.fit.build_model", lambda *_: solve())
    with pytest.raises(TrainingError, match=r"equations of user_item_bias have no solution .*regularization"):
        fit(UserItemBiasConfig(), TRAINING, split)
