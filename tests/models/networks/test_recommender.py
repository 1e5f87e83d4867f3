"""Networks learn, and fold in new users near the predictions of known ones."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.models.baselines import UserItemBias
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.neumf_config import NeuMFConfig
from movielens_recsys.models.networks.recommender import NeuralRecommender
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.fit import fit

VAE = HybridVAEConfig(n_factors=8, hidden_dims=(16,), latent_dim=4)


@pytest.fixture(scope="module")
def split() -> Split:
    return make_split(synthetic_ratings(100, 80, 3_000, seed=2).ratings, RandomSplit(seed=2))


def rmse(model: NeuralRecommender | UserItemBias, split: Split) -> float:
    test = split.part("test")
    return float(np.sqrt(np.mean((model.predict(test.users, test.items) - test.ratings) ** 2)))


@pytest.mark.parametrize("config", [VAE, NeuMFConfig(n_factors=8, hidden_dims=(16,))], ids=lambda c: c.name)
def test_training_improves_on_the_initial_weights(
    config: HybridVAEConfig | NeuMFConfig, split: Split
) -> None:
    untrained = build_model(config, split.part("train"), 0)
    trained, result = fit(config, TrainingConfig(epochs=15, batch_size=128, learning_rate=5e-3), split)
    assert isinstance(untrained, NeuralRecommender)
    assert isinstance(trained, NeuralRecommender)
    assert rmse(trained, split) < rmse(untrained, split)
    assert result.history[-1].train_loss < result.history[0].train_loss


def test_fold_in_follows_the_ratings_of_a_new_user(split: Split) -> None:
    model, _ = fit(VAE, TrainingConfig(epochs=5, batch_size=128, learning_rate=5e-3), split)
    history = np.arange(20)
    high = model.fold_in(history, np.full(20, 5, np.float32))
    low = model.fold_in(history, np.full(20, 1, np.float32))
    assert high.mean() > low.mean() + 0.5


def test_fold_in_of_a_known_users_history_comes_near_their_predictions(split: Split) -> None:
    model, _ = fit(VAE, TrainingConfig(epochs=10, batch_size=128, learning_rate=5e-3), split)
    train = split.part("train")
    user = int(np.bincount(train.users).argmax())
    own = train.users == user
    folded = model.fold_in(train.items[own], train.ratings[own])
    known = model.predict(np.full(model.n_items, user), np.arange(model.n_items))
    assert np.sqrt(np.mean((folded - known) ** 2)) < 0.35
