"""Attention against its formula, on ratings that are few enough to count by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.two_tower.attention import DAY_S, N_NEIGHBORS, Attention, TemporalNeighbors


def test_attention_reads_visible_neighbors_of_the_same_owner(train: Ratings, small: HybridVAEConfig) -> None:
    torch.manual_seed(0)
    neighbors = TemporalNeighbors.of(train)
    assert neighbors is not None
    assert train.timestamps is not None
    attention = Attention(small, neighbors)
    latents = torch.randn(train.n_users, 4), torch.randn(train.n_items, 4)
    residuals = torch.randn(len(train))
    residuals[::7] = torch.nan
    row = 123
    user, item, time = int(train.users[row]), int(train.items[row]), int(train.timestamps[row])
    positions = neighbors.columns(train.users[[row]], train.items[[row]], train.timestamps[[row]])
    pairs = torch.tensor([user]), torch.tensor([item])
    found = attention(latents, pairs, torch.from_numpy(positions), residuals)
    owners, partners = (train.users, train.items), (train.items, train.users)
    for number, owner in ((0, user), (1, item)):
        order = np.lexsort((train.timestamps, owners[number]))
        own = order[owners[number][order] == owner]
        position = int(np.flatnonzero(train.timestamps[own] == time).mean() + 0.5)
        window = own[max(position - N_NEIGHBORS // 2, 0) : position + N_NEIGHBORS // 2]
        visible = window[~residuals[window].isnan().numpy()]
        lag = torch.as_tensor(np.abs(train.timestamps[visible] - time))
        later = torch.as_tensor(train.timestamps[visible] > time)
        basis = torch.stack([(lag / 60).log1p(), (lag / DAY_S).log1p(), later.float()], dim=1)
        query = attention.queries[number](latents[1 - number][pairs[1 - number]])
        similarity = attention.keys[number](latents[1 - number][partners[number][visible]]) @ query[0]
        logits = similarity / math.sqrt(len(query[0])) + attention.since[number](basis)[:, 0]
        weights = torch.softmax(torch.cat([logits, attention.empty[number, None]]), 0)[:-1]
        torch.testing.assert_close(found[2 * number], (weights * residuals[visible]).sum()[None])
        torch.testing.assert_close(found[2 * number + 1], weights.sum()[None])


def test_attention_is_zero_at_unknown_timestamps(train: Ratings, small: HybridVAEConfig) -> None:
    neighbors = TemporalNeighbors.of(train)
    assert neighbors is not None
    latents = torch.randn(train.n_users, 4), torch.randn(train.n_items, 4)
    positions = torch.from_numpy(neighbors.columns(train.users, train.items, None))
    pairs = torch.as_tensor(train.users.astype(np.int64)), torch.as_tensor(train.items.astype(np.int64))
    found = Attention(small, neighbors)(latents, pairs, positions, torch.randn(len(train)))
    assert not torch.stack(found).any()
    assert TemporalNeighbors.of(replace(train, timestamps=None)) is None


def test_neighbors_are_restored_from_their_arrays(train: Ratings) -> None:
    neighbors = TemporalNeighbors.of(train)
    assert neighbors is not None
    restored = TemporalNeighbors.from_state(neighbors.state())
    rows = train.users, train.items, train.timestamps
    np.testing.assert_array_equal(restored.columns(*rows), neighbors.columns(*rows))
