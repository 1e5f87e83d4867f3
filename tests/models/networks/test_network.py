"""Noise on embeddings is for training alone."""

from __future__ import annotations

import torch

from movielens_recsys.models.networks.neumf import NeuMF
from movielens_recsys.models.networks.neumf_config import NeuMFConfig


def test_embeddings_are_noisy_in_training_alone() -> None:
    network = NeuMF(NeuMFConfig(n_factors=3, hidden_dims=(4,)), n_users=5, n_items=6, mean=3.5)
    items = torch.arange(6)
    network.train()
    assert torch.equal(network.item_embeddings(items), network.items.weight)
    network.embedding_noise = 0.5
    torch.manual_seed(0)
    noise = network.item_embeddings(items) - network.items.weight
    assert 0.3 < noise.std() < 0.7
    network.eval()
    assert torch.equal(network.item_embeddings(items), network.items.weight)


def test_a_network_without_ratings_has_nothing_to_mask_or_encode() -> None:
    network = NeuMF(NeuMFConfig(n_factors=3, hidden_dims=(4,)), n_users=5, n_items=6, mean=3.5).eval()
    users, items = torch.arange(5), torch.arange(5)
    before = network(users, items).ratings
    network.mask_targets(torch.tensor([0, 1]))
    network.cache_encodings()
    torch.testing.assert_close(network(users, items).ratings, before)
    assert network.time_context(users.numpy(), items.numpy(), None).shape == (5, 0)
