"""The encoder of one tower: from the ratings of each user (or item) to a latent and an output scale."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.layers import mlp
from movielens_recsys.models.two_tower.posterior import LinearPosterior, Normal
from movielens_recsys.models.two_tower.segments import SegmentSum

SVD_SUM_SCALE = 1 / 8
"""Brings sums of SVD embeddings, whose columns have a mean square of 1, to the size of the other sums."""


class TowerInput(NamedTuple):
    """The ratings of all users, or of all items, as their encoder sums over them.

    Attributes
    ----------
    ratings
        Segments are users (items), table rows are items (users).
    visible
        1, or 0 for a masked rating, float32 of shape (n_ratings,).
    residuals
        Rating minus mean and biases in stars, 0 for a masked rating, float32 of shape (n_ratings,).
    counts
        Visible ratings of each user (item), float32.
    """

    ratings: SegmentSum
    visible: Tensor
    residuals: Tensor
    counts: Tensor


class Encoded(NamedTuple):
    """All users, or all items, encoded: latents, and offset and log scale of the score, shape (n, 2)."""

    latent: Normal
    offset_and_scale: Tensor


class TowerEncoder(nn.Module):
    """q(z | ratings) of all users, or of all items.

    x = [sum key / sqrt(n), sum residual key / sqrt(n), the same sums of SVD embeddings, log n, extra], with
    sums over the visible ratings of each, and ``extra`` the embedded attributes or ids. An MLP f reads x:
    center = f(x) + W x, and three outputs: offset and log scale of the scores, and the log of how much the
    ratings count. The latent is the `LinearPosterior` given the ratings, around that center.
    """

    def __init__(self, config: HybridVAEConfig, extra_width: int) -> None:
        super().__init__()
        # Attribute names are those of the arrays in bundles and checkpoints.
        width = 2 * config.latent_dim + 2 * config.n_factors + 1 + extra_width
        self.normalization = nn.LayerNorm(width)
        self.hidden = mlp((width, *config.hidden_dims), normalization="none", dropout=config.dropout)
        self.center = nn.Linear(config.hidden_dims[-1], config.latent_dim)
        self.heads = nn.Linear(config.hidden_dims[-1], 3)
        self.straight = nn.Linear(width, config.latent_dim, bias=False)
        # Zeros: training starts at the ridge regression on the keys around 0, a sensible model already.
        for layer in (self.center, self.heads, self.straight):
            nn.init.zeros_(layer.weight)
        for layer in (self.center, self.heads):
            nn.init.zeros_(layer.bias)
        self.posterior = LinearPosterior(config.latent_dim)

    def forward(
        self,
        tower: TowerInput,
        keys: Tensor,
        svd: Tensor,
        extra: list[Tensor],
        prior_mean: Tensor | None = None,
    ) -> Encoded:
        """Encode all users (items).

        Parameters
        ----------
        keys, svd
            Latents and SVD embeddings of all items (users), shapes (n_rows, latent_dim) and
            (n_rows, n_factors).
        extra
            Further inputs of each user (item), tensors of n rows.
        prior_mean
            Added to the centers, shape (n, latent_dim).
        """
        ratings, visible, residuals, counts = tower
        # Divided by the root of the count, as in SVD++: a sum of n independent terms then has one size
        # whatever n is, while a mean would let a single rating weigh as much as a thousand.
        root = counts.clamp(min=1).rsqrt()[:, None]
        sums = [
            ratings.sum(keys, visible) * root,
            ratings.sum(keys, residuals) * root,
            ratings.sum(svd, visible) * root * SVD_SUM_SCALE,
            ratings.sum(svd, residuals) * root,
            counts[:, None].log1p() / 4 - 1,
        ]
        x = torch.cat([*sums, *extra], dim=1)
        hidden = self.hidden(self.normalization(x))
        # W reads x without the normalisation, which takes away its length, and so how far from 0 it is.
        center = self.center(hidden) + self.straight(x)
        if prior_mean is not None:
            center = center + prior_mean
        outputs = self.heads(hidden)
        latent = self.posterior(
            center=center,
            keys=keys,
            ratings=ratings,
            visible=visible,
            residuals=residuals,
            confidence=outputs[:, 2],
        )
        return Encoded(latent, outputs[:, :2])
