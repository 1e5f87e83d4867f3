"""Variant ``hierarchical``: priors of items from genres and year, latents of a user's day under the user's.

    z_i ~ N(P attributes_i, 1 / l)          z_ud ~ N(0, 1 / l'), of few dimensions
    score gains z_ud . W z_i

The day's latent is the posterior given what the long-term latents leave of that day's ratings; a day without
ratings, or whose time is not known, has the prior's mean, 0. Either half takes part where the data have what
it reads.
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
    """Where items' latents are before anybody has rated them: P attributes."""

    def __init__(self, config: HybridVAEConfig, n_attributes: int) -> None:
        super().__init__()
        self.project = nn.Linear(n_attributes, config.latent_dim, bias=False)
        nn.init.zeros_(self.project.weight)

    def forward(self, attributes: Tensor) -> Tensor:
        """Return prior means, shape (n_items, latent_dim), for ``attributes`` (n_items, n_attributes)."""
        means: Tensor = self.project(attributes)
        return means


class DailyUserLatents(nn.Module):
    """What a user is in the mood for on one day."""

    def __init__(self, config: HybridVAEConfig) -> None:
        super().__init__()
        self.project = nn.Linear(config.latent_dim, DAY_DIM, bias=False)
        self.posterior = LinearPosterior(DAY_DIM)

    def forward(self, history: TrainingInteractions, items: Tensor, kept: Tensor, left: Tensor) -> Tensor:
        """Return the latents' means of all groups of user and day, shape (n_groups, DAY_DIM).

        ``items`` are the items' long-term latents, ``left`` is what these leave of each kept rating, else 0.
        """
        group, by_group = history.groups[DAY]
        bags = SegmentSum.of(group, history.items, by_group, history.user_items.rows)
        nothing = kept.new_zeros(len(by_group.edges) - 1)
        center = nothing[:, None].expand(-1, DAY_DIM)
        mean: Tensor = self.posterior(center, self.project(items), bags, kept, left, nothing).mean
        return mean

    def score(self, days: Tensor, group: Tensor, items: Tensor) -> Tensor:
        """Return what the day adds to pairs' scores, shape (n,); ``group`` is -1 where it is not known."""
        added = (days[group.clamp(min=0)] * self.project(items)).sum(1)
        return torch.where(group >= 0, added, 0.0)
