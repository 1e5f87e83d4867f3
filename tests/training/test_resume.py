"""A training that was stopped ends as if nothing had happened; tests/faults has harder endings."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.training.resuming import Fitted, after, assert_same

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.errors import CheckpointError, TrainingStopped
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.fit import fit
from movielens_recsys.training.session import TrainingSession

VAE = HybridVAEConfig(n_factors=6, hidden_dims=(12,), latent_dim=4)
TRAINING = TrainingConfig(epochs=6, batch_size=128, learning_rate=5e-3)


@pytest.fixture(scope="module")
def split() -> Split:
    return make_split(synthetic_ratings(60, 50, 1_500, seed=4).ratings, RandomSplit(seed=4))


@pytest.fixture(scope="module")
def uninterrupted(split: Split) -> Fitted:
    return fit(VAE, TRAINING, split)


@pytest.mark.parametrize("steps", [1, 5, 9, 10, 11, 25])
def test_stopped_at_any_step_it_ends_the_same(
    steps: int, split: Split, uninterrupted: Fitted, tmp_path: Path
) -> None:
    with pytest.raises(TrainingStopped, match="resume"):
        fit(VAE, TRAINING, split, TrainingSession(checkpoint_folder=tmp_path, stop=after(steps)))
    assert_same(
        fit(VAE, TRAINING, split, TrainingSession(checkpoint_folder=tmp_path, resume=True)), uninterrupted
    )


def test_stopped_every_few_steps_it_ends_the_same(
    split: Split, uninterrupted: Fitted, tmp_path: Path
) -> None:
    stops = 0
    while True:
        try:
            fitted = fit(
                VAE,
                TRAINING,
                split,
                TrainingSession(checkpoint_folder=tmp_path, resume=stops > 0, stop=after(3 + stops % 4)),
            )
        except TrainingStopped:
            stops += 1
            continue
        break
    assert stops > 5
    assert_same(fitted, uninterrupted)


def test_epochs_of_a_single_step_can_be_stopped_too(split: Split, tmp_path: Path) -> None:
    whole = TRAINING.model_copy(update={"batch_size": 10_000})
    with pytest.raises(TrainingStopped, match="in epoch 2 after step 0"):
        fit(VAE, whole, split, TrainingSession(checkpoint_folder=tmp_path, stop=after(2)))
    assert_same(
        fit(VAE, whole, split, TrainingSession(checkpoint_folder=tmp_path, resume=True)),
        fit(VAE, whole, split),
    )


def test_another_configuration_or_split_cannot_be_resumed(split: Split, tmp_path: Path) -> None:
    fit(VAE, TRAINING, split, TrainingSession(checkpoint_folder=tmp_path))
    other = TRAINING.model_copy(update={"kl_weight": 0.5})
    with pytest.raises(CheckpointError, match="another configuration"):
        fit(VAE, other, split, TrainingSession(checkpoint_folder=tmp_path, resume=True))


def test_a_finished_training_is_given_back_as_it_was(
    split: Split, uninterrupted: Fitted, tmp_path: Path
) -> None:
    fit(VAE, TRAINING, split, TrainingSession(checkpoint_folder=tmp_path))
    assert_same(
        fit(VAE, TRAINING, split, TrainingSession(checkpoint_folder=tmp_path, resume=True)), uninterrupted
    )
