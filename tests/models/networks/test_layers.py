"""Blocks of layers, and where their weights start."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from movielens_recsys.models.footprint import mlp_parameters
from movielens_recsys.models.networks.layers import Normalization, RatingOutput, initialize, mlp


@pytest.mark.parametrize(
    ("normalization", "kind"), [("none", None), ("layer", nn.LayerNorm), ("batch", nn.BatchNorm1d)]
)
def test_blocks_are_linear_normalisation_relu_dropout(
    normalization: Normalization, kind: type[nn.Module] | None
) -> None:
    network = mlp((5, 4, 3), normalization=normalization, dropout=0.3)
    block = [nn.Linear, *([kind] if kind else []), nn.ReLU, nn.Dropout]
    assert [type(module) for module in network] == 2 * block
    assert network(torch.zeros(2, 5)).shape == (2, 3)
    if kind is None:
        assert sum(parameter.numel() for parameter in network.parameters()) == mlp_parameters((5, 4, 3))


def test_initial_weights_have_the_standard_deviations_that_they_should() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Embedding(400, 50), nn.Linear(300, 100))
    initialize(network, embedding_std=0.05)
    assert network[0].weight.std().item() == pytest.approx(0.05, rel=0.05)
    assert network[1].weight.std().item() == pytest.approx((2 / 400) ** 0.5, rel=0.05)
    assert not network[1].bias.any()


def test_the_kl_of_a_network_without_a_latent_is_zero() -> None:
    ratings = torch.tensor([3.0])
    assert RatingOutput(ratings, kl=torch.zeros(0), latent=torch.zeros(1, 0)).mean_kl == 0
    assert RatingOutput(ratings, kl=torch.tensor([1.0, 3.0]), latent=torch.zeros(1, 2)).mean_kl == 2
