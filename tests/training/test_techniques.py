"""Each technique does what its formula says, and all of them survive an interruption."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.errors import TrainingError, TrainingStopped, UnstableTrainingError
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.layers import RatingOutput
from movielens_recsys.models.networks.neumf_config import NeuMFConfig
from movielens_recsys.models.networks.ordinal import OrdinalDistribution
from movielens_recsys.training.checkpoints import read_checkpoint
from movielens_recsys.training.config import (
    EMA,
    SWA,
    EarlyStopping,
    KLAnnealing,
    LearningRateSchedule,
    TrainingConfig,
)
from movielens_recsys.training.fit import fit
from movielens_recsys.training.history import EpochMetrics, TrainingCallback
from movielens_recsys.training.losses import objective, reported_loss
from movielens_recsys.training.schedules import kl_weight_at, learning_rate_at
from movielens_recsys.training.session import TrainingSession
from movielens_recsys.training.weight_averaging import WeightAverage, refresh_statistics

VAE = HybridVAEConfig(n_factors=6, hidden_dims=(12,), latent_dim=4)
TWO_SIDED = HybridVAEConfig(
    encoder="two_sided", n_factors=6, hidden_dims=(12,), latent_dim=4, latent_noise=0.5
)
NCF = NeuMFConfig(n_factors=4, hidden_dims=(8,), dropout=0.0)
PLAIN = TrainingConfig(epochs=4, batch_size=256, learning_rate=5e-3, kl_weight=0.1)


def trained(model: Any, split: Split, **changes: Any) -> tuple[Any, tuple[EpochMetrics, ...]]:
    recommender, result = fit(model, PLAIN.model_copy(update=changes), split)
    return recommender, result.history


@pytest.fixture(scope="module")
def split() -> Split:
    return make_split(synthetic_ratings(60, 50, 1_500, seed=4).ratings, RandomSplit(seed=4))


@pytest.mark.parametrize(
    ("shape", "weights"),
    [
        ("linear", [0.02, 0.04, 0.06, 0.08, 0.1, 0.1]),
        ("cosine", [0.02, 0.02 + 0.08 * 0.1464466, 0.06, 0.02 + 0.08 * 0.8535534, 0.1, 0.1]),
        ("cyclical", [0.02, 0.1, 0.02, 0.1, 0.1, 0.1]),
    ],
)
def test_the_kl_weight_rises_from_beta_min_and_stays(shape: Any, weights: list[float]) -> None:
    annealing = KLAnnealing(shape=shape, beta_min=0.02, epochs=4, cycles=2)
    training = PLAIN.model_copy(update={"kl_annealing": annealing})
    assert [kl_weight_at(progress, training) for progress in range(6)] == pytest.approx(weights)


def test_annealing_is_recorded_and_moves_no_reported_loss(split: Split) -> None:
    annealing = KLAnnealing(epochs=4)
    _, history = trained(VAE, split, kl_annealing=annealing)
    assert [record.kl_weight for record in history] == pytest.approx([0.025, 0.05, 0.075, 0.1])
    for record in history:
        assert record.val_loss == pytest.approx(record.val_mse + 0.1 * record.val_kl)


def test_free_bits_cost_nothing_below_their_floor_and_pull_nowhere() -> None:
    kl = torch.tensor([0.1, 0.5], requires_grad=True)
    output = RatingOutput(torch.tensor([3.0]), kl, torch.zeros(1, 2))
    training = PLAIN.model_copy(update={"free_bits": 0.3})
    loss = objective(output, torch.tensor([5.0]), 3.5, 0.1, training)
    assert loss.item() == pytest.approx(4 + 0.1 * (0.3 + 0.5) / 2)
    loss.backward()
    assert kl.grad is not None
    assert kl.grad.tolist() == pytest.approx([0.0, 0.05])
    assert reported_loss(output, torch.tensor([5.0]), 0.1).item() == pytest.approx(4 + 0.1 * (0.1 + 0.5) / 2)


def test_free_bits_keep_latent_units_in_use(split: Split) -> None:
    heavy = {"kl_weight": 5.0, "epochs": 20}
    without, with_them = (trained(VAE, split, free_bits=bits, **heavy)[1][-1] for bits in (0.0, 0.5))
    assert with_them.val_kl > 10 * without.val_kl
    assert with_them.active_units > without.active_units


def test_label_smoothing_moves_targets_towards_the_mean() -> None:
    output = RatingOutput(torch.tensor([3.0, 4.0]), torch.zeros(0), torch.zeros(2, 0))
    training = PLAIN.model_copy(update={"label_smoothing": 0.2})
    loss = objective(output, torch.tensor([5.0, 1.0]), 3.0, 0.1, training)
    assert float(loss) == pytest.approx(((3 - 4.6) ** 2 + (4 - 1.4) ** 2) / 2)


def test_warm_up_cosine_and_floor() -> None:
    schedule = LearningRateSchedule(shape="cosine", warmup_epochs=2, final_share=0.1)
    changes = {"epochs": 10, "learning_rate": 1.0, "learning_rate_schedule": schedule}
    training = PLAIN.model_copy(update=changes)
    rates = [learning_rate_at(progress, training) for progress in (0.5, 1, 2, 6, 10)]
    assert rates == pytest.approx([0.25, 0.5, 1.0, 0.55, 0.1])


def test_a_plateau_lowers_the_rate_each_time_patience_runs_out() -> None:
    def history(*rmse: float) -> list[EpochMetrics]:
        return [EpochMetrics(place, 1, 1, 1, value, 0, 1, 1) for place, value in enumerate(rmse, 1)]

    schedule = LearningRateSchedule(shape="plateau", factor=0.1, patience=2)
    training = PLAIN.model_copy(update={"learning_rate": 1.0, "learning_rate_schedule": schedule})
    for rmse, rate in [((3, 2), 1.0), ((3, 2, 2, 1), 1.0), ((1, 2, 2), 0.1), ((1, 2, 2, 3, 3, 0, 1), 0.01)]:
        assert learning_rate_at(9, training, history(*rmse)) == pytest.approx(rate)


def test_swa_has_its_own_rate_and_is_the_mean_of_the_epochs_since_it_began(
    split: Split, tmp_path: Path
) -> None:
    weights = []

    class Keep(TrainingCallback):
        def on_checkpoint(self, epoch: int, step: int) -> None:
            weights.append(read_checkpoint(tmp_path / "last.ckpt")[0])

    training = PLAIN.model_copy(update={"swa": SWA(start=0.5, learning_rate=1e-3)})
    _, result = fit(NCF, training, split, TrainingSession(callbacks=[Keep()], checkpoint_folder=tmp_path))
    assert [record.averaged for record in result.history] == [False, False, True, True]
    assert [record.learning_rate for record in result.history] == [5e-3, 5e-3, 1e-3, 1e-3]
    name = "output.weight"
    mean = (weights[2][f"network.{name}"] + weights[3][f"network.{name}"]) / 2
    torch.testing.assert_close(weights[3][f"average.{name}"], mean)


def test_patience_does_not_end_a_training_that_waits_for_its_average(split: Split) -> None:
    changes = {"epochs": 30, "learning_rate": 0.05, "early_stopping": EarlyStopping(patience=1)}
    _, early = trained(NCF, split, **changes)
    _, history = trained(NCF, split, swa=SWA(start=0.5), **changes)
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


def test_averaged_weights_are_judged_with_statistics_of_their_own(split: Split) -> None:
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


def test_micro_batches_make_the_same_step(split: Split) -> None:
    _, whole = trained(NCF, split)
    _, parts = trained(NCF, split, micro_batch_size=100)
    for one, other in zip(whole, parts, strict=True):
        assert other.val_rmse == pytest.approx(one.val_rmse, rel=1e-5)
        assert other.gradient_norm == pytest.approx(one.gradient_norm, rel=1e-4)


def test_bf16_trains_and_is_judged_in_full_precision(split: Split) -> None:
    model, history = trained(VAE, split, precision="bf16")
    _, exact = trained(VAE, split)
    best = min(history, key=lambda record: record.val_rmse)
    rows = split.part("validation")
    error = model.predict(rows.users, rows.items) - rows.ratings
    assert float((error**2).mean()) == pytest.approx(best.val_mse, rel=1e-5)
    assert history != exact
    assert best.val_rmse == pytest.approx(min(record.val_rmse for record in exact), abs=0.05)


def test_input_noise_reaches_training_and_not_predictions(split: Split) -> None:
    model, history = trained(NCF, split, embedding_noise=0.5)
    _, without = trained(NCF, split)
    assert history[0].train_loss != without[0].train_loss
    rows = split.part("validation")
    assert (model.predict(rows.users, rows.items) == model.predict(rows.users, rows.items)).all()


def test_active_units_are_counted_where_there_is_a_latent(split: Split) -> None:
    _, collapsed = trained(VAE, split, kl_weight=50.0, epochs=6)
    _, free = trained(VAE, split, kl_weight=0.0, epochs=6)
    _, none = trained(NCF, split)
    assert (collapsed[-1].active_units, none[-1].active_units) == (0.0, None)
    assert free[-1].active_units in {0.25, 0.5, 0.75, 1.0}


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
        TWO_SIDED,
        TWO_SIDED.model_copy(update={"variants": ("skip", "attention", "hierarchical")}),
    ],
    ids=["pair", "two-sided", "two-sided with every variant"],
)
def test_everything_is_resumed_bit_for_bit(
    split: Split, tmp_path: Path, techniques: dict[str, Any], model: HybridVAEConfig
) -> None:
    training = PLAIN.model_copy(update=techniques)
    whole, expected = fit(model, training, split)
    for stop_after in (3, 5, 7, 1_000):
        asked = iter(range(1_000))
        try:
            resumed, result = fit(
                model,
                training,
                split,
                TrainingSession(
                    checkpoint_folder=tmp_path,
                    resume=True,
                    stop=lambda asked=asked, last=stop_after: next(asked) == last,
                ),
            )
        except TrainingStopped:
            continue
    exact = [{**record.to_json(), "samples_per_s": 0} for record in expected.history]
    assert [{**record.to_json(), "samples_per_s": 0} for record in result.history] == exact
    state = whole.state()
    assert all((resumed.state()[name] == array).all() for name, array in state.items())


def test_long_epochs_are_saved_in_between(split: Split, tmp_path: Path) -> None:
    saved: list[tuple[int, int]] = []

    class Listen(TrainingCallback):
        def on_checkpoint(self, epoch: int, step: int) -> None:
            saved.append((epoch, step))

    often = PLAIN.model_copy(update={"epochs": 1, "checkpoint_every_s": 1e-9})
    fit(NCF, often, split, TrainingSession(checkpoint_folder=tmp_path, callbacks=[Listen()]))
    assert saved == [(1, 1), (1, 2), (1, 3), (1, 4), (2, 0)]


@pytest.mark.parametrize(("changes", "adjusted"), [({"kl_weight": 100.0}, {"kl_weight": 0.005})])
def test_an_unstable_step_leaves_a_good_checkpoint_to_go_on_from(
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


def test_a_loss_that_jumps_is_caught_before_it_spoils_the_weights(split: Split) -> None:
    with pytest.raises(UnstableTrainingError, match="a loss of at most"):
        fit(NCF, PLAIN.model_copy(update={"loss_spike": 1.0001}), split)


def test_the_likelihood_joins_the_objective_and_no_reported_loss(split: Split) -> None:
    output = RatingOutput(
        torch.tensor([3.0]),
        torch.zeros(0),
        torch.zeros(1, 0),
        OrdinalDistribution(torch.zeros(1, 1), 1.0, 4.0),
    )
    training = PLAIN.model_copy(update={"nll_weight": 0.5})
    rating = torch.tensor([5.0])
    assert float(objective(output, rating, 3.5, 0.1, training)) == pytest.approx(4 + 0.5 * math.log(2))
    assert float(reported_loss(output, rating, 0.1)) == pytest.approx(4)
    with pytest.raises(TrainingError, match="predicts no distribution"):
        fit(VAE, training, split)


def test_a_step_may_be_a_share_of_the_rows(split: Split) -> None:
    n = len(split.train)
    assert PLAIN.model_copy(update={"batch_fraction": 0.1}).batch_rows(n) == math.ceil(n / 10)
    asked = iter(range(1_000))
    with pytest.raises(TrainingStopped, match="epoch 2 after step 1"):
        fit(
            NCF,
            PLAIN.model_copy(update={"batch_fraction": 0.25}),
            split,
            TrainingSession(stop=lambda: next(asked) == 5),
        )


def test_micro_batches_leave_the_whole_batch_out(split: Split) -> None:
    still = TWO_SIDED.model_copy(update={"dropout": 0.0, "latent_noise": 0.0})
    _, whole = trained(still, split)
    _, parts = trained(still, split, micro_batch_size=100)
    for one, other in zip(whole, parts, strict=True):
        assert other.val_rmse == pytest.approx(one.val_rmse, rel=1e-4)


def test_no_gpu_where_one_is_asked_for_is_said(split: Split) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(TrainingError, match="no GPU can be used here"):
        fit(NCF, PLAIN.model_copy(update={"device": "cuda"}), split)
