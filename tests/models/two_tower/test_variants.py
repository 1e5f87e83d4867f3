"""Each variant against what its formula says, on ratings that are few enough to count by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.two_tower.attention import DAY_S, NEIGHBOURS, Attention, TemporalNeighbors
from movielens_recsys.models.two_tower.hierarchical import DAY, DailyUserLatents
from movielens_recsys.models.two_tower.interactions import TrainingInteractions
from movielens_recsys.models.two_tower.recommender import TwoTowerRecommender
from movielens_recsys.models.two_tower.skip import SkipPerceptron

SMALL = HybridVAEConfig(encoder="two_sided", n_factors=6, hidden_dims=(12,), latent_dim=4, dropout=0.0)


@pytest.fixture(scope="module")
def train() -> Ratings:
    ratings = synthetic_ratings(40, 25, 500, seed=4).ratings
    assert ratings.timestamps is not None
    return ratings.take(np.lexsort((ratings.timestamps, ratings.users)))


def test_attention_looks_at_kept_neighbours_of_the_same_owner(train: Ratings) -> None:
    torch.manual_seed(0)
    neighbourhood = TemporalNeighbors.of(train)
    assert neighbourhood is not None
    assert train.timestamps is not None
    attention = Attention(SMALL, neighbourhood)
    latents = torch.randn(train.n_users, 4), torch.randn(train.n_items, 4)
    left = torch.randn(len(train))
    left[::7] = torch.nan
    row = 123
    user, item, time = int(train.users[row]), int(train.items[row]), int(train.timestamps[row])
    places = neighbourhood.places(train.users[[row]], train.items[[row]], train.timestamps[[row]])
    pairs = torch.tensor([user]), torch.tensor([item])
    found = attention(latents, pairs, torch.from_numpy(places), left)
    owners, others = (train.users, train.items), (train.items, train.users)
    for look, owner in ((0, user), (1, item)):
        order = np.lexsort((train.timestamps, owners[look]))
        own = order[owners[look][order] == owner]
        place = int(np.flatnonzero(train.timestamps[own] == time).mean() + 0.5)
        near = own[max(place - NEIGHBOURS // 2, 0) : place + NEIGHBOURS // 2]
        kept = near[~left[near].isnan().numpy()]
        lag = torch.as_tensor(np.abs(train.timestamps[kept] - time))
        later = torch.as_tensor(train.timestamps[kept] > time)
        basis = torch.stack([(lag / 60).log1p(), (lag / DAY_S).log1p(), later.float()], dim=1)
        query = attention.queries[look](latents[1 - look][pairs[1 - look]])
        alike = attention.keys[look](latents[1 - look][others[look][kept]]) @ query[0]
        logits = alike / math.sqrt(len(query[0])) + attention.since[look](basis)[:, 0]
        weights = torch.softmax(torch.cat([logits, attention.empty[look, None]]), 0)[:-1]
        torch.testing.assert_close(found[2 * look], (weights * left[kept]).sum()[None])
        torch.testing.assert_close(found[2 * look + 1], weights.sum()[None])


def test_attention_sees_nothing_where_no_time_is_known(train: Ratings) -> None:
    neighbourhood = TemporalNeighbors.of(train)
    assert neighbourhood is not None
    latents = torch.randn(train.n_users, 4), torch.randn(train.n_items, 4)
    places = torch.from_numpy(neighbourhood.places(train.users, train.items, None))
    pairs = torch.as_tensor(train.users.astype(np.int64)), torch.as_tensor(train.items.astype(np.int64))
    found = Attention(SMALL, neighbourhood)(latents, pairs, places, torch.randn(len(train)))
    assert not torch.stack(found).any()
    assert TemporalNeighbors.of(replace(train, timestamps=None)) is None


def test_a_day_is_what_is_left_of_its_own_ratings(train: Ratings) -> None:
    torch.manual_seed(0)
    history, moments = TrainingInteractions.of(SMALL, train, 3.5)
    days, items = DailyUserLatents(SMALL), torch.randn(train.n_items, 4)
    left = torch.randn(len(train))
    kept = (torch.arange(len(train)) % 5 > 0).float()
    means = days(history, items, kept, left * kept)
    group = history.groups[DAY][0]
    keys = days.project(items)[history.items]
    prior, noise = torch.diag(days.posterior.prior_precision), days.posterior.log_noise_precision.exp()
    for one in (0, 3, moments.n_groups(DAY) - 1):
        own = (group == one) & (kept > 0)
        matrix = prior + noise * keys[own].T @ keys[own]
        torch.testing.assert_close(means[one], torch.linalg.solve(matrix, noise * keys[own].T @ left[own]))
    score = days.score(means, torch.tensor([0, -1]), items[:2])
    torch.testing.assert_close(score, torch.stack([means[0] @ days.project(items[0]), torch.tensor(0.0)]))


def test_items_without_ratings_are_where_their_attributes_say(train: Ratings) -> None:
    rated = train.take(np.flatnonzero(train.items != 3))
    model = build_model(SMALL.model_copy(update={"variants": ("hierarchical",)}), rated, 0)
    assert isinstance(model, TwoTowerRecommender)
    network = model.network.eval()
    assert network.item_prior is not None
    before = network.encode().items.latent.mean
    torch.nn.init.normal_(network.item_prior.project.weight)
    encoding = network.encode()
    moved = encoding.items.latent.mean - before
    torch.testing.assert_close(moved[3], encoding.extras["item_prior"][3])
    shift = (moved - encoding.extras["item_prior"]).norm(dim=1)
    assert shift[3] < 1e-4 < shift[train.items[0]]


def test_skips_bring_the_input_to_every_layer_and_the_output() -> None:
    torch.manual_seed(0)
    skips, x = SkipPerceptron((3, 5, 4), dropout=0.0), torch.randn(6, 3)
    assert torch.equal(skips(x)[:, 4:], x)
    first, second = skips.layers
    expected = second(torch.cat([first(x), x], dim=1))
    torch.testing.assert_close(skips(x)[:, :4], expected)
