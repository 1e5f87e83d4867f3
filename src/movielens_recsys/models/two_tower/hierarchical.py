"""Variant ``hierarchical``: item priors from attributes, and latents of a user's day beside the user's own.

    z_i ~ N(P attributes_i, 1 / l)          z_ud ~ N(0, 1 / l'), of `DAY_DIM` dimensions
    score gains z_ud . W z_i

The day's latent is the posterior given that day's residuals beyond the long-term latents; a day without
ratings, or an unknown one, has the prior mean 0. Without attributes, or without timestamps, the respective
half is absent.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from movielens_recsys.models.hybrid_vae_config import DAY_DIM, HybridVAEConfig
from movielens_recsys.models.two_tower.interactions import TrainingInteractions
from movielens_recsys.models.two_tower.posterior import LinearPosterior
from movielens_recsys.models.two_tower.segments import SegmentSum

DAY = "user_day"


class ItemPrior(nn.Module):
    """Prior means of the items' latents: P attributes."""

    def __init__(self, config: HybridVAEConfig, n_attributes: int) -> None:
        super().__init__()
        self.project = nn.Linear(n_attributes, config.latent_dim, bias=False)
        nn.init.zeros_(self.project.weight)

    def forward(self, attributes: Tensor) -> Tensor:
        """Return prior means, shape (n_items, latent_dim), for ``attributes`` (n_items, n_attributes)."""
        means: Tensor = self.project(attributes)
        return means


class DailyUserLatents(nn.Module):
    """A latent of few dimensions for each user's day."""

    def __init__(self, config: HybridVAEConfig) -> None:
        super().__init__()
        self.project = nn.Linear(config.latent_dim, DAY_DIM, bias=False)
        self.posterior = LinearPosterior(DAY_DIM)

    def forward(
        self, interactions: TrainingInteractions, items: Tensor, visible: Tensor, residuals: Tensor
    ) -> Tensor:
        """Return the posterior means of all groups of user and day, shape (n_groups, DAY_DIM).

        ``items`` are the items' long-term latents, ``residuals`` those beyond all long-term latents, 0 for a
        masked rating.
        """
        group, by_group = interactions.groups[DAY]
        ratings = SegmentSum.of(group, interactions.items, by_group, interactions.user_items.by_row)
        zeros = visible.new_zeros(len(by_group.offsets) - 1)
        means: Tensor = self.posterior(
            center=zeros[:, None].expand(-1, DAY_DIM),
            keys=self.project(items),
            ratings=ratings,
            visible=visible,
            residuals=residuals,
            confidence=zeros,
        ).mean
        return means

    def score(self, days: Tensor, group: Tensor, items: Tensor) -> Tensor:
        """Return what the day adds to pairs' scores, shape (n,); ``group`` is -1 for an unknown day."""
        added = (days[group.clamp(min=0)] * self.project(items)).sum(1)
        return torch.where(group >= 0, added, 0.0)
