"""A training that was stopped, killed or left with a damaged file ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.errors import TrainingError, TrainingStopped
from movielens_recsys.models.base import Model
from movielens_recsys.models.config import HybridVAEConfig
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.loop import fit
from movielens_recsys.training.records import FitResult

VAE = HybridVAEConfig(n_factors=6, hidden_dims=(12,), latent_dim=4)
TRAINING = TrainingConfig(epochs=6, batch_size=128, learning_rate=5e-3)
Fitted = tuple[Model, FitResult]


@pytest.fixture(scope="module")
def split() -> Split:
    return make_split(synthetic_ratings(60, 50, 1_500, seed=4).ratings, RandomSplit(seed=4))


@pytest.fixture(scope="module")
def uninterrupted(split: Split) -> Fitted:
    return fit(VAE, TRAINING, split)


def after(steps: int) -> Callable[[], bool]:
    """Say stop once that many steps are done."""
    counter = iter(range(1, 1_000_000))
    return lambda: next(counter) >= steps


def assert_same(resumed: Fitted, uninterrupted: Fitted) -> None:
    for name, array in uninterrupted[0].state().items():
        np.testing.assert_array_equal(resumed[0].state()[name], array, err_msg=name)
    ours, theirs = (
        [replace(record, samples_per_s=0.0) for record in result.history]
        for result in (resumed[1], uninterrupted[1])
    )
    assert ours == theirs
    assert resumed[1].best_epoch == uninterrupted[1].best_epoch


@pytest.mark.parametrize("steps", [1, 5, 9, 10, 11, 25])
def test_stopped_at_any_step_it_ends_the_same(
    steps: int, split: Split, uninterrupted: Fitted, tmp_path: Path
) -> None:
    with pytest.raises(TrainingStopped, match="resume"):
        fit(VAE, TRAINING, split, checkpoint_folder=tmp_path, stop=after(steps))
    assert_same(fit(VAE, TRAINING, split, checkpoint_folder=tmp_path, resume=True), uninterrupted)


def test_stopped_every_few_steps_it_ends_the_same(
    split: Split, uninterrupted: Fitted, tmp_path: Path
) -> None:
    stops = 0
    while True:
        try:
            fitted = fit(
                VAE, TRAINING, split, checkpoint_folder=tmp_path, resume=stops > 0, stop=after(3 + stops % 4)
            )
        except TrainingStopped:
            stops += 1
            continue
        break
    assert stops > 5
    assert_same(fitted, uninterrupted)


def test_a_damaged_last_checkpoint_gives_way_to_the_one_before(
    split: Split, uninterrupted: Fitted, tmp_path: Path
) -> None:
    with pytest.raises(TrainingStopped):
        fit(VAE, TRAINING, split, checkpoint_folder=tmp_path, stop=after(25))
    content = bytearray((tmp_path / "last.ckpt").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "last.ckpt").write_bytes(content)
    with pytest.warns(UserWarning, match="damaged"):
        resumed = fit(VAE, TRAINING, split, checkpoint_folder=tmp_path, resume=True)
    assert_same(resumed, uninterrupted)


def test_with_both_damaged_it_says_so(split: Split, tmp_path: Path) -> None:
    fit(VAE, TRAINING, split, checkpoint_folder=tmp_path)
    for name in ("last.ckpt", "previous.ckpt"):
        (tmp_path / name).write_bytes(b"nothing")
    with (
        pytest.warns(UserWarning, match=r"last\.ckpt"),
        pytest.raises(TrainingError, match=r"previous\.ckpt is damaged"),
    ):
        fit(VAE, TRAINING, split, checkpoint_folder=tmp_path, resume=True)


def test_another_configuration_or_split_cannot_be_resumed(split: Split, tmp_path: Path) -> None:
    fit(VAE, TRAINING, split, checkpoint_folder=tmp_path)
    other = TRAINING.model_copy(update={"kl_weight": 0.5})
    with pytest.raises(TrainingError, match="another configuration"):
        fit(VAE, other, split, checkpoint_folder=tmp_path, resume=True)


def test_a_finished_training_is_given_back_as_it_was(
    split: Split, uninterrupted: Fitted, tmp_path: Path
) -> None:
    fit(VAE, TRAINING, split, checkpoint_folder=tmp_path)
    assert_same(fit(VAE, TRAINING, split, checkpoint_folder=tmp_path, resume=True), uninterrupted)


KILLED = """
import json, sys
from pathlib import Path
import numpy as np
from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits import make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.models.config import HybridVAEConfig
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.loop import fit

split = make_split(synthetic_ratings(60, 50, 1_500, seed=4).ratings, RandomSplit(seed=4))
model = HybridVAEConfig.parse(json.loads(sys.argv[2]))
training = TrainingConfig.parse(json.loads(sys.argv[3]))
print("ready", flush=True)
fitted, result = fit(model, training, split, checkpoint_folder=Path(sys.argv[1]), resume=True)
np.savez(Path(sys.argv[1]) / "final.npz", **fitted.state())
"""


def test_killed_with_minus_9_again_and_again_it_ends_the_same(split: Split, tmp_path: Path) -> None:
    training = TRAINING.model_copy(update={"epochs": 60, "early_stopping": None})
    command = [sys.executable, "-c", KILLED, str(tmp_path), VAE.model_dump_json(), training.model_dump_json()]
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    delays, kills = random.Random(1), 0
    while not (tmp_path / "final.npz").exists():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        if kills < 3:
            time.sleep(delays.uniform(0.05, 0.6))
            process.send_signal(signal.SIGKILL)
            kills += 1
        assert process.wait() in {0, -signal.SIGKILL}
        process.stdout.close()
    uninterrupted, _ = fit(VAE, training, split)
    with np.load(tmp_path / "final.npz") as final:
        for name, array in uninterrupted.state().items():
            np.testing.assert_array_equal(final[name], array, err_msg=name)
