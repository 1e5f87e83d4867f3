"""The architecture of the pair VAE, its KL divergence and its bias terms."""

from __future__ import annotations

import pytest
import torch

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.models.base import DataSpec
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.pair_vae import PairVAE, PairVAERecommender

VAE = HybridVAEConfig(n_factors=8, hidden_dims=(16,), latent_dim=4)


@pytest.fixture(scope="module")
def split() -> Split:
    return make_split(synthetic_ratings(100, 80, 3_000, seed=2).ratings, RandomSplit(seed=2))


def network_of(config: HybridVAEConfig, split: Split) -> PairVAE:
    train = split.part("train")
    network = PairVAERecommender.build_network(config, DataSpec.of(train), mean=3.5)
    assert isinstance(network, PairVAE)
    return network


def test_batch_norm_and_sigmoid_give_the_specified_architecture() -> None:
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


def test_bias_terms_are_added_to_the_decoders_output(split: Split) -> None:
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


def test_latents_are_sampled_in_training_and_means_in_prediction(split: Split) -> None:
    network = network_of(VAE.model_copy(update={"dropout": 0.0}), split)
    users, items = torch.arange(6), torch.arange(6)
    torch.nn.init.normal_(network.output.weight)
    network.train()
    assert not torch.equal(network(users, items).ratings, network(users, items).ratings)
    network.eval()
    assert torch.equal(network(users, items).ratings, network(users, items).ratings)
