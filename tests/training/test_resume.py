"""A stopped and resumed training equals an uninterrupted one; tests/faults has real kills."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.training.resuming import Fitted, after, assert_same
from tests.training.small import PLAIN, TWO_TOWER, VAE

from movielens_recsys.data.splits.split import Split
from movielens_recsys.errors import CheckpointError, TrainingStopped
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.training.config import (
    EMA,
    SWA,
    KLAnnealing,
    LearningRateSchedule,
    TrainingConfig,
)
from movielens_recsys.training.fit import fit
from movielens_recsys.training.session import TrainingSession

TRAINING = TrainingConfig(epochs=6, batch_size=128, learning_rate=5e-3)


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


def test_a_finished_training_is_restored_unchanged(
    split: Split, uninterrupted: Fitted, tmp_path: Path
) -> None:
    fit(VAE, TRAINING, split, TrainingSession(checkpoint_folder=tmp_path))
    assert_same(
        fit(VAE, TRAINING, split, TrainingSession(checkpoint_folder=tmp_path, resume=True)), uninterrupted
    )


ALL = {
    "kl_annealing": KLAnnealing(shape="cyclical", epochs=3, cycles=2),
    "free_bits": 0.1,
    "learning_rate_schedule": LearningRateSchedule(shape="plateau", warmup_epochs=1.5, patience=1),
    "swa": SWA(start=0.4, learning_rate=2e-3),
    "micro_batch_size": 100,
    "embedding_noise": 0.1,
    "label_smoothing": 0.1,
    "checkpoint_every_s": 1e-9,
}


@pytest.mark.parametrize("techniques", [ALL, {**ALL, "swa": None, "ema": EMA(decay=0.9)}], ids=["swa", "ema"])
@pytest.mark.parametrize(
    "model",
    [
        VAE.model_copy(update={"normalization": "batch"}),
        TWO_TOWER,
        TWO_TOWER.model_copy(update={"variants": ("skip", "attention", "hierarchical")}),
    ],
    ids=["pair", "two-sided", "two-sided with every variant"],
)
def test_all_techniques_resume_bit_for_bit(
    split: Split, tmp_path: Path, techniques: dict[str, Any], model: HybridVAEConfig
) -> None:
    training = PLAIN.model_copy(update=techniques)
    whole, expected = fit(model, training, split)
    for stop_after in (3, 5, 7, 1_000):
        calls = iter(range(1_000))
        try:
            resumed, result = fit(
                model,
                training,
                split,
                TrainingSession(
                    checkpoint_folder=tmp_path,
                    resume=True,
                    stop=lambda calls=calls, last=stop_after: next(calls) == last,
                ),
            )
        except TrainingStopped:
            continue
    exact = [{**record.to_json(), "samples_per_s": 0} for record in expected.history]
    assert [{**record.to_json(), "samples_per_s": 0} for record in result.history] == exact
    state = whole.state()
    assert all((resumed.state()[name] == array).all() for name, array in state.items())
