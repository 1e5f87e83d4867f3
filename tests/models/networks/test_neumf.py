"""NeuMF is a product of embeddings beside a perceptron."""

from __future__ import annotations

import torch

from movielens_recsys.models.networks.neumf import NeuMF
from movielens_recsys.models.networks.neumf_config import NeuMFConfig


def test_without_the_perceptron_a_rating_is_mean_plus_weighted_product() -> None:
    network = NeuMF(NeuMFConfig(n_factors=3, hidden_dims=(4,)), n_users=5, n_items=6, mean=3.5).eval()
    with torch.no_grad():
        network.output.weight[:, 3:] = 0.0
    users, items = torch.tensor([0, 4]), torch.tensor([5, 2])
    product = network.users(users)[:, :3] * network.items(items)[:, :3]
    expected = 3.5 + product @ network.output.weight[0, :3] + network.output.bias
    torch.testing.assert_close(network(users, items).ratings, expected)


def test_the_perceptron_has_its_own_embeddings() -> None:
    network = NeuMF(NeuMFConfig(n_factors=3, hidden_dims=(4,)), n_users=5, n_items=6, mean=3.5).eval()
    assert network.users.weight.shape == (5, 6)
    users, items = torch.tensor([1]), torch.tensor([1])
    before = network(users, items).ratings
    with torch.no_grad():
        network.output.weight[:, :3] = 0.0
        network.users.weight[:, :3] += 1.0
    changed = network(users, items).ratings
    with torch.no_grad():
        network.users.weight[:, :3] += 1.0
    torch.testing.assert_close(network(users, items).ratings, changed)
    assert not torch.equal(before, changed)
