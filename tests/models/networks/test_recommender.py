"""What is particular to the neural models: their two forms, their fallback, their fold-in."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.models.base import DataSpec
from movielens_recsys.models.baselines import UserItemBias
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.neumf_config import NeuMFConfig
from movielens_recsys.models.networks.pair_vae import PairVAE, PairVAERecommender
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


def network_of(config: HybridVAEConfig, split: Split) -> PairVAE:
    train = split.part("train")
    network = PairVAERecommender.build_network(config, DataSpec.of(train), mean=3.5)
    assert isinstance(network, PairVAE)
    return network


def test_the_word_for_word_form_is_the_plans_text() -> None:
    config = HybridVAEConfig(normalization="batch", bias_terms=False, output="sigmoid", dropout=0.4)
    network = PairVAE(config, n_users=3, n_items=3, mean=3.5, scale=(1.0, 5.0))
    modules = list(network.modules())
    assert sum(isinstance(module, torch.nn.BatchNorm1d) for module in modules) == 6
    assert not any(isinstance(module, torch.nn.LayerNorm) for module in modules)
    assert network.users.weight.shape == (3, 150)
    widths = [layer.out_features for layer in network.encoder if isinstance(layer, torch.nn.Linear)]
    assert widths == [512, 256, 128]
    widths = [layer.out_features for layer in network.decoder if isinstance(layer, torch.nn.Linear)]
    assert widths == [128, 256, 512]
    network.eval()
    ratings = network(torch.tensor([0, 1, 2]), torch.tensor([2, 1, 0])).ratings
    assert ((ratings > 1) & (ratings < 5)).all()


def test_bias_terms_are_added_to_the_decoders_answer(split: Split) -> None:
    network = network_of(VAE, split)
    assert not any(isinstance(module, torch.nn.BatchNorm1d) for module in network.modules())
    assert network.users.weight.shape == (split.ratings.n_users, VAE.n_factors + 1)
    network.eval()
    users, items = torch.arange(5), torch.arange(5)
    before = network(users, items).ratings
    with torch.no_grad():
        network.users.weight[:, -1] += 0.25
    torch.testing.assert_close(network(users, items).ratings, before + 0.25)


def test_kl_is_that_of_two_normals(split: Split) -> None:
    network = network_of(VAE, split).eval()
    captured: dict[str, torch.Tensor] = {}
    for name in ("latent_mean", "latent_log_variance"):
        getattr(network, name).register_forward_hook(
            lambda module, inputs, output, name=name: captured.update({name: output})
        )
    kl = network(torch.arange(6), torch.arange(6)).mean_kl
    posterior = torch.distributions.Normal(
        captured["latent_mean"], torch.exp(0.5 * captured["latent_log_variance"])
    )
    expected = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).mean()
    torch.testing.assert_close(kl, expected)


def test_latents_are_drawn_in_training_and_means_in_prediction(split: Split) -> None:
    network = network_of(VAE.model_copy(update={"dropout": 0.0}), split)
    users, items = torch.arange(6), torch.arange(6)
    torch.nn.init.normal_(network.output.weight)
    network.train()
    assert not torch.equal(network(users, items).ratings, network(users, items).ratings)
    network.eval()
    assert torch.equal(network(users, items).ratings, network(users, items).ratings)


@pytest.mark.parametrize("config", [VAE, NeuMFConfig(n_factors=8, hidden_dims=(16,))], ids=lambda c: c.name)
def test_training_beats_its_own_start(config: HybridVAEConfig | NeuMFConfig, split: Split) -> None:
    untrained = build_model(config, split.part("train"), 0)
    trained, result = fit(config, TrainingConfig(epochs=15, batch_size=128, learning_rate=5e-3), split)
    assert isinstance(untrained, NeuralRecommender)
    assert isinstance(trained, NeuralRecommender)
    assert rmse(trained, split) < rmse(untrained, split)
    assert result.history[-1].train_loss < result.history[0].train_loss


def test_fold_in_follows_the_newcomers_taste(split: Split) -> None:
    model, _ = fit(VAE, TrainingConfig(epochs=5, batch_size=128, learning_rate=5e-3), split)
    history = np.arange(20)
    lover = model.fold_in(history, np.full(20, 5, np.float32))
    hater = model.fold_in(history, np.full(20, 1, np.float32))
    assert lover.mean() > hater.mean() + 0.5


def test_fold_in_comes_near_a_known_users_own_predictions(split: Split) -> None:
    model, _ = fit(VAE, TrainingConfig(epochs=10, batch_size=128, learning_rate=5e-3), split)
    train = split.part("train")
    user = int(np.bincount(train.users).argmax())
    own = train.users == user
    folded = model.fold_in(train.items[own], train.ratings[own])
    known = model.predict(np.full(model.n_items, user), np.arange(model.n_items))
    assert np.sqrt(np.mean((folded - known) ** 2)) < 0.35


def test_building_leaves_torchs_stream_where_it_was(split: Split) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    build_model(VAE, split.part("train"), 0)
    assert torch.equal(torch.rand(3), expected)
