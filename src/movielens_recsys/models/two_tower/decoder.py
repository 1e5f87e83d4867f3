"""The decoder: a score for a pair's latents and features."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.layers import mlp
from movielens_recsys.models.two_tower.skip import SkipMLP

INITIAL_GAIN = 2.0
INITIAL_BIAS_WEIGHT = 1.5
"""Both turn stars, in which residuals and biases are, into the log-odds of the score."""
N_BIASES = 2


class Decoder(nn.Module):
    """score = sum_j g_j (z_u * z_i)_j + w . features + MLP([z_u * z_i, features])."""

    def __init__(self, config: HybridVAEConfig, n_features: int) -> None:
        super().__init__()
        # Attribute names are those of the arrays in bundles and checkpoints.
        self.gain = nn.Parameter(torch.full((config.latent_dim,), INITIAL_GAIN))
        self.known = nn.Linear(n_features, 1)
        nn.init.zeros_(self.known.weight)
        with torch.no_grad():
            # The biases of user and item are the first two features.
            self.known.weight[:, :N_BIASES] = INITIAL_BIAS_WEIGHT
        widths = (config.latent_dim + n_features, *reversed(config.hidden_dims))
        self.hidden: nn.Module
        if "skip" in config.variants:
            self.hidden = SkipMLP(widths, config.dropout)
            self.output = nn.Linear(widths[-1] + widths[0], 1)
        else:
            self.hidden = mlp(widths, normalization="none", dropout=config.dropout)
            self.output = nn.Linear(widths[-1], 1)
        # The MLP starts at 0 and learns what the linear terms do not explain.
        nn.init.zeros_(self.output.weight)

    def forward(self, product: Tensor, features: Tensor) -> Tensor:
        """Return scores, shape (n,), for z_u * z_i (n, latent_dim) and features (n, n_features)."""
        hidden = self.hidden(torch.cat([product, features], dim=1))
        linear = (product * self.gain).sum(1) + self.known(features).squeeze(1)
        score: Tensor = linear + self.output(hidden).squeeze(1)
        return score
