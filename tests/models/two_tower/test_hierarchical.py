"""Item priors and daily latents against their formulas."""

from __future__ import annotations

import numpy as np
import torch

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.two_tower.hierarchical import DAY, DailyUserLatents
from movielens_recsys.models.two_tower.interactions import TrainingInteractions
from movielens_recsys.models.two_tower.recommender import TwoTowerRecommender


def test_a_day_latent_is_the_posterior_given_that_days_residuals(
    train: Ratings, small: HybridVAEConfig
) -> None:
    torch.manual_seed(0)
    interactions, time_lookup = TrainingInteractions.of(small, train, 3.5)
    days, items = DailyUserLatents(small), torch.randn(train.n_items, 4)
    residuals = torch.randn(len(train))
    visible = (torch.arange(len(train)) % 5 > 0).float()
    means = days(interactions, items, visible, residuals * visible)
    group = interactions.groups[DAY][0]
    keys = days.project(items)[interactions.items]
    prior, noise = torch.diag(days.posterior.prior_precision), days.posterior.log_noise_precision.exp()
    for day in (0, 3, time_lookup.n_groups(DAY) - 1):
        own = (group == day) & (visible > 0)
        matrix = prior + noise * keys[own].T @ keys[own]
        expected = torch.linalg.solve(matrix, noise * keys[own].T @ residuals[own])
        torch.testing.assert_close(means[day], expected)
    score = days.score(means, torch.tensor([0, -1]), items[:2])
    torch.testing.assert_close(score, torch.stack([means[0] @ days.project(items[0]), torch.tensor(0.0)]))


def test_items_without_ratings_are_at_their_prior_mean(train: Ratings, small: HybridVAEConfig) -> None:
    rated = train.take(np.flatnonzero(train.items != 3))
    config = small.model_copy(update={"variants": ("hierarchical",)})
    network = TwoTowerRecommender.fit(config, rated, 0).network.eval()
    assert network.item_prior is not None
    before = network.encode().items.latent.mean
    torch.nn.init.normal_(network.item_prior.project.weight)
    encodings = network.encode()
    moved = encodings.items.latent.mean - before
    assert encodings.item_prior is not None
    torch.testing.assert_close(moved[3], encodings.item_prior[3])
    shift = (moved - encodings.item_prior).norm(dim=1)
    assert shift[3] < 1e-4 < shift[train.items[0]]
