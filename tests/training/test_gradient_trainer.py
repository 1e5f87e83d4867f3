from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from tests.training.small import NEUMF, PLAIN, TWO_TOWER, VAE, trained

from movielens_recsys.data.splits.split import Split
from movielens_recsys.errors import TrainingStopped, UnstableTrainingError
from movielens_recsys.training.config import (
    KLAnnealing,
)
from movielens_recsys.training.fit import fit
from movielens_recsys.training.history import TrainingCallback
from movielens_recsys.training.session import TrainingSession


def test_annealing_is_recorded_and_does_not_change_the_reported_loss(split: Split) -> None:
    annealing = KLAnnealing(epochs=4)
    _, history = trained(VAE, split, kl_annealing=annealing)
    assert [record.kl_weight for record in history] == pytest.approx([0.025, 0.05, 0.075, 0.1])
    for record in history:
        assert record.val_loss == pytest.approx(record.val_mse + 0.1 * record.val_kl)


def test_micro_batches_make_the_same_step(split: Split) -> None:
    _, whole = trained(NEUMF, split)
    _, parts = trained(NEUMF, split, micro_batch_size=100)
    for one, other in zip(whole, parts, strict=True):
        assert other.val_rmse == pytest.approx(one.val_rmse, rel=1e-5)
        assert other.gradient_norm == pytest.approx(one.gradient_norm, rel=1e-4)


def test_embedding_noise_changes_training_and_not_predictions(split: Split) -> None:
    model, history = trained(NEUMF, split, embedding_noise=0.5)
    _, without = trained(NEUMF, split)
    assert history[0].train_loss != without[0].train_loss
    rows = split.part("validation")
    assert (model.predict(rows.users, rows.items) == model.predict(rows.users, rows.items)).all()


def test_long_epochs_are_saved_in_between(split: Split, tmp_path: Path) -> None:
    saved: list[tuple[int, int]] = []

    class Listen(TrainingCallback):
        def on_checkpoint(self, epoch: int, step: int) -> None:
            saved.append((epoch, step))

    often = PLAIN.model_copy(update={"epochs": 1, "checkpoint_every_s": 1e-9})
    fit(NEUMF, often, split, TrainingSession(checkpoint_folder=tmp_path, callbacks=[Listen()]))
    assert saved == [(1, 1), (1, 2), (1, 3), (1, 4), (2, 0)]


@pytest.mark.parametrize(("changes", "adjusted"), [({"kl_weight": 100.0}, {"kl_weight": 0.005})])
def test_an_unstable_step_leaves_a_good_checkpoint_to_resume_from(
    split: Split, tmp_path: Path, changes: dict[str, Any], adjusted: dict[str, Any]
) -> None:
    wild = PLAIN.model_copy(update={"learning_rate": 10.0, "gradient_clip_norm": None, **changes})
    with pytest.raises(UnstableTrainingError, match="in epoch 1 step"):
        fit(VAE, wild, split, TrainingSession(checkpoint_folder=tmp_path))
    tame = wild.model_copy(update={"learning_rate": 1e-3, **adjusted})
    _, result = fit(VAE, wild, split, TrainingSession(adjusted=tame, checkpoint_folder=tmp_path, resume=True))
    assert len(result.history) == 4
    for record in result.history:
        assert record.val_loss == pytest.approx(record.val_mse + 100.0 * record.val_kl), "what is measured"
        assert record.kl_weight == 0.005, "what is minimised"


def test_a_jump_of_the_loss_ends_training_before_it_changes_the_weights(split: Split) -> None:
    with pytest.raises(UnstableTrainingError, match="a loss of at most"):
        fit(NEUMF, PLAIN.model_copy(update={"loss_spike": 1.0001}), split)


def test_a_batch_may_be_a_fraction_of_the_rows(split: Split) -> None:
    n = len(split.train)
    assert PLAIN.model_copy(update={"batch_fraction": 0.1}).batch_rows(n) == math.ceil(n / 10)
    calls = iter(range(1_000))
    with pytest.raises(TrainingStopped, match="epoch 2 after step 1"):
        fit(
            NEUMF,
            PLAIN.model_copy(update={"batch_fraction": 0.25}),
            split,
            TrainingSession(stop=lambda: next(calls) == 5),
        )


def test_micro_batches_mask_the_targets_of_the_whole_batch(split: Split) -> None:
    still = TWO_TOWER.model_copy(update={"dropout": 0.0, "latent_noise": 0.0})
    _, whole = trained(still, split)
    _, parts = trained(still, split, micro_batch_size=100)
    for one, other in zip(whole, parts, strict=True):
        assert other.val_rmse == pytest.approx(one.val_rmse, rel=1e-4)
