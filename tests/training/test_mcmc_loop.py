"""A chain of draws that was stopped ends as if nothing had happened, and says how far it has converged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.training.resuming import Fitted, after, assert_same

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.errors import CheckpointError, TrainingStopped
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.fit import fit
from movielens_recsys.training.history import EpochMetrics, TrainingCallback
from movielens_recsys.training.session import TrainingSession

CHAINS = BayesianMFConfig(
    n_factors=3, chains=2, sweeps=30, burn_in=12, n_posterior_samples=12, kernel_rank=20
)
TRAINING = TrainingConfig(seed=3)


@pytest.fixture(scope="module")
def uninterrupted(split: Split) -> Fitted:
    return fit(CHAINS, TRAINING, split)


@pytest.mark.parametrize("sweeps", [1, 2, 12, 13, 29, 30, 31, 45])
def test_stopped_after_any_sweep_it_ends_the_same(
    sweeps: int, split: Split, uninterrupted: Fitted, tmp_path: Path
) -> None:
    with pytest.raises(TrainingStopped, match=f"after sweep {sweeps}; resume"):
        fit(CHAINS, TRAINING, split, TrainingSession(checkpoint_folder=tmp_path, stop=after(sweeps)))
    assert_same(
        fit(CHAINS, TRAINING, split, TrainingSession(checkpoint_folder=tmp_path, resume=True)), uninterrupted
    )


def test_a_finished_chain_is_restored_unchanged(split: Split, uninterrupted: Fitted, tmp_path: Path) -> None:
    fit(CHAINS, TRAINING, split, TrainingSession(checkpoint_folder=tmp_path))
    assert_same(
        fit(CHAINS, TRAINING, split, TrainingSession(checkpoint_folder=tmp_path, resume=True)), uninterrupted
    )


def test_another_configuration_cannot_be_resumed(split: Split, tmp_path: Path) -> None:
    fit(CHAINS, TRAINING, split, TrainingSession(checkpoint_folder=tmp_path))
    longer = CHAINS.model_copy(update={"sweeps": 40})
    with pytest.raises(CheckpointError, match="another configuration"):
        fit(longer, TRAINING, split, TrainingSession(checkpoint_folder=tmp_path, resume=True))


def test_each_epoch_reports_the_mean_over_samples(split: Split, uninterrupted: Fitted) -> None:
    class Heard(TrainingCallback):
        def __init__(self) -> None:
            self.records: list[EpochMetrics] = []
            self.steps: list[tuple[int, int, int]] = []

        def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
            self.records.append(record)

        def on_step(self, epoch: int, step: int, steps: int) -> None:
            self.steps.append((epoch, step, steps))

    heard = Heard()
    model, result = fit(CHAINS, TRAINING, split, TrainingSession(callbacks=[heard]))
    assert len(heard.steps) == 60
    assert heard.steps[:3] == [(1, 1, 2), (1, 2, 2), (2, 1, 2)]
    assert [record.sweeps for record in heard.records] == list(range(2, 61, 2))
    assert [record.averaged for record in heard.records] == [False] * 6 + [True] * 24
    rows = split.part("validation")
    assert rows.timestamps is not None
    predicted = model.predict_at(rows.users, rows.items, rows.timestamps)  # type: ignore[attr-defined]
    rmse = float(np.sqrt(np.mean((predicted - rows.ratings) ** 2)))
    # the kept draws are a third of those past burn-in, stored in half precision
    assert abs(result.history[-1].val_rmse - rmse) < 0.01
    assert result.best_epoch == 30
    assert result.convergence is not None
    assert result.convergence.draws == 36


def test_needs_no_validation_rows(split: Split) -> None:
    without = make_split(split.ratings, RandomSplit(validation=0, seed=4))
    model, result = fit(CHAINS, TRAINING, without)
    assert (result.history, result.best_epoch, result.convergence) == ((), None, None)
    assert np.isfinite(model.predict(without.part("test").users, without.part("test").items)).all()
