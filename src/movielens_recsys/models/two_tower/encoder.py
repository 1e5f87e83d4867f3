"""One side's encoder: from each one's ratings, and what stands at their other ends, to a latent."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.layers import mlp
from movielens_recsys.models.two_tower.posterior import LinearPosterior, Normal
from movielens_recsys.models.two_tower.segments import SegmentSum

START_SCALE = 1 / 8
"""Brings sums of the start, which have no weights from residuals, to the size of the others."""


class TowerInput(NamedTuple):
    """One side's ratings, as its encoder sums over them.

    ``kept`` is 1, or 0 for what is left out; ``residuals`` are stars beyond the biases, 0 for what is left
    out; both have the shape (n,). ``counts`` has one number for each bag.
    """

    bags: SegmentSum
    kept: Tensor
    residuals: Tensor
    counts: Tensor


class Encoded(NamedTuple):
    """One side as its encoder leaves it: latents, shift and log scale of its ratings, shape (n, 2)."""

    latent: Normal
    heads: Tensor


class TowerEncoder(nn.Module):
    """q(z | ratings) of all users, or of all items.

    x = [sum key / sqrt(n), sum residual key / sqrt(n), the same of the start's rows, log n, more], with the
    sums over the ratings of each and ``more`` the attributes or id rows of the side. A perceptron f reads x:
    center = f(x) + W x, and heads: a shift and a log scale for the side's ratings, and how far they are to be
    trusted. The latent is `LinearPosterior` of the ratings around that center.
    """

    def __init__(self, config: HybridVAEConfig, more: int) -> None:
        super().__init__()
        width = 2 * config.latent_dim + 2 * config.n_factors + 1 + more
        self.normalization = nn.LayerNorm(width)
        self.hidden = mlp((width, *config.hidden_dims), normalization="none", dropout=config.dropout)
        self.center = nn.Linear(config.hidden_dims[-1], config.latent_dim)
        self.heads = nn.Linear(config.hidden_dims[-1], 3)
        self.straight = nn.Linear(width, config.latent_dim, bias=False)
        for layer in (self.center, self.heads, self.straight):
            nn.init.zeros_(layer.weight)
        for layer in (self.center, self.heads):
            nn.init.zeros_(layer.bias)
        self.posterior = LinearPosterior(config.latent_dim)

    def forward(
        self,
        evidence: TowerInput,
        keys: Tensor,
        start: Tensor,
        more: list[Tensor],
        prior_mean: Tensor | None = None,
    ) -> Encoded:
        """Encode a side; ``keys`` and ``start`` are rows of the other one.

        ``prior_mean`` is added to the centers, where there is one.
        """
        root = evidence.counts.clamp(min=1).rsqrt()[:, None]
        bags, kept, residuals, counts = evidence
        seen = [
            bags.sum(keys, kept) * root,
            bags.sum(keys, residuals) * root,
            bags.sum(start, kept) * root * START_SCALE,
            bags.sum(start, residuals) * root,
            counts[:, None].log1p() / 4 - 1,
        ]
        x = torch.cat([*seen, *more], dim=1)
        hidden = self.hidden(self.normalization(x))
        center = self.center(hidden) + self.straight(x)
        if prior_mean is not None:
            center = center + prior_mean
        heads = self.heads(hidden)
        return Encoded(
            self.posterior(center, keys, evidence.bags, kept, residuals, heads[:, 2]), heads[:, :2]
        )
