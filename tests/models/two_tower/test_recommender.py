"""What is particular to the two-sided VAE: no target in its encoders, newcomers in one pass, the moment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.ratings import Ratings, Scale
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.errors import ModelError
from movielens_recsys.models.bundle import load_bundle, save_bundle
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.two_tower.recommender import TwoTowerRecommender
from movielens_recsys.recommender import TimeAwareRecommender
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.fit import fit

SMALL = HybridVAEConfig(encoder="two_sided", n_factors=6, hidden_dims=(12,), latent_dim=4, dropout=0.0)
EVERY_VARIANT = SMALL.model_copy(update={"variants": ("skip", "attention", "hierarchical")})
TRAINING = TrainingConfig(epochs=10, batch_size=1000, optimizer="adamw", learning_rate=5e-3, nll_weight=0.5)


@pytest.fixture(scope="module")
def split() -> Split:
    return make_split(synthetic_ratings(300, 150, 12_000, seed=2, noise=0.5).ratings, RandomSplit(seed=2))


@pytest.fixture(scope="module", params=[SMALL, EVERY_VARIANT], ids=["base", "every variant"])
def fitted(split: Split, request: pytest.FixtureRequest) -> TwoTowerRecommender:
    return recommender(fit(request.param, TRAINING, split)[0])


def recommender(model: object) -> TwoTowerRecommender:
    assert isinstance(model, TwoTowerRecommender)
    return model


def untrained(train: Ratings, config: HybridVAEConfig = SMALL) -> TwoTowerRecommender:
    return recommender(build_model(config, train, 0))


def rmse(model: TwoTowerRecommender, rows: Ratings) -> float:
    assert rows.timestamps is not None
    predicted = model.predict_at(rows.users, rows.items, rows.timestamps)
    return float(np.sqrt(np.mean((predicted - rows.ratings) ** 2)))


def test_training_beats_biases(fitted: TwoTowerRecommender, split: Split) -> None:
    test = split.part("test")
    biases = fitted.fallback.predict(test.users, test.items)
    assert rmse(fitted, test) < float(np.sqrt(np.mean((biases - test.ratings) ** 2)))


@pytest.mark.parametrize("rows", [[0], [5, 900, 17]])
@pytest.mark.parametrize("config", [SMALL, EVERY_VARIANT], ids=["base", "every variant"])
def test_what_is_left_out_changes_nothing_that_is_encoded(
    split: Split, rows: list[int], config: HybridVAEConfig
) -> None:
    train = split.part("train")
    changed = train.ratings.copy()
    changed[rows] = 6 - changed[rows]
    encodings = []
    for ratings in (train, replace(train, ratings=changed)):
        model = untrained(ratings, config)
        # The start and the mean are of all training ratings, and the same in both.
        assert model.network.history is not None
        deviations = torch.as_tensor(
            ratings.ratings.astype(np.float64) - train.ratings.mean(dtype=np.float64)
        )
        history = replace(model.network.history, deviations=deviations[_order(train)])
        model.network.history = history
        model.network.mask_targets(torch.tensor(rows))
        encodings.append(model.network.eval().encode().state())
    for name, array in encodings[0].items():
        np.testing.assert_array_equal(array, encodings[1][name], err_msg=name)


def _order(train: Ratings) -> np.ndarray:
    assert train.timestamps is not None
    return np.lexsort((train.timestamps, train.users))


def test_a_step_that_leaves_nothing_to_encode_is_refused(split: Split) -> None:
    everything = TRAINING.model_copy(update={"epochs": 1, "batch_size": 1_000_000})
    with pytest.raises(ModelError, match="batch_fraction"):
        fit(SMALL, everything, split)
    fit(SMALL, everything.model_copy(update={"batch_fraction": 0.5}), split)


def test_what_is_kept_is_encoded(split: Split) -> None:
    network = untrained(split.part("train")).network.eval()
    network.cache_encodings()
    assert network.encoding is not None
    everything = network.encoding.users.latent.mean
    network.mask_targets(torch.tensor([0]))
    without = network.encode().users.latent.mean
    assert (everything != without).any()


def test_a_newcomer_with_a_users_history_is_rated_like_that_user(
    fitted: TwoTowerRecommender, split: Split
) -> None:
    train = split.part("train")
    for user in np.bincount(train.users).argsort()[[-1, 30]]:
        own = train.users == user
        folded = fitted.fold_in(train.items[own], train.ratings[own])
        known = fitted.predict(np.full(fitted.n_items, user), np.arange(fitted.n_items))
        np.testing.assert_allclose(folded, known, atol=1e-4)


def test_the_time_of_a_rating_counts_and_is_kept_in_a_bundle(
    fitted: TwoTowerRecommender, split: Split, tmp_path: Path
) -> None:
    assert isinstance(fitted, TimeAwareRecommender)
    test = split.part("test")
    assert test.timestamps is not None
    then = fitted.predict_at(test.users, test.items, test.timestamps)
    assert (then != fitted.predict(test.users, test.items)).any()
    bundle = load_bundle(save_bundle(fitted, split.ratings, tmp_path / "bundle", {}))
    again = recommender(bundle.recommender)
    np.testing.assert_array_equal(again.predict_at(test.users, test.items, test.timestamps), then)
    assert again.network.history is None


def test_half_stars_without_times_or_titles_are_fine_too() -> None:
    scale = Scale(0.5, 5, 0.5)
    ratings = replace(
        synthetic_ratings(60, 40, 900, seed=3, scale=scale).ratings, timestamps=None, item_table=None
    )
    split = make_split(ratings, RandomSplit(seed=3))
    model, _ = fit(SMALL, TRAINING.model_copy(update={"epochs": 2, "batch_fraction": 0.1}), split)
    predicted = model.predict(ratings.users, ratings.items)
    assert predicted.min() >= 0.5
    assert predicted.max() <= 5
    assert len(recommender(model).network.cutpoints()) == 9
