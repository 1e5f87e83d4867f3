"""Building blocks of the networks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from torch import Tensor, nn

from movielens_recsys.models.networks.ordinal import OrdinalDistribution

Normalization = Literal["none", "layer", "batch"]


class RatingOutput(NamedTuple):
    """A network's output for a batch of pairs.

    Attributes
    ----------
    ratings
        Shape (n,), in stars, not clipped.
    kl
        KL divergence of each latent unit in nats, averaged over pairs, shape (latent_dim,).
    latent
        Means of the posterior, shape (n, latent_dim).
    ordinal
        The distribution over the scale whose means the ratings are, from networks that predict one.

    Networks without a latent have a ``latent_dim`` of 0; where users and items have one each, it counts both.
    """

    ratings: Tensor
    kl: Tensor
    latent: Tensor
    ordinal: OrdinalDistribution | None = None

    @property
    def mean_kl(self) -> Tensor:
        """The KL averaged over latent units, a scalar; 0 without a latent."""
        return self.kl.mean() if self.kl.numel() else self.kl.sum()


def mlp(widths: Sequence[int], *, normalization: Normalization, dropout: float) -> nn.Sequential:
    """Stack linear -> normalisation -> ReLU -> dropout blocks through ``widths`` (input width first)."""
    layers: list[nn.Module] = []
    for width_in, width_out in pairwise(widths):
        layers.append(nn.Linear(width_in, width_out))
        if normalization != "none":
            layers.append(nn.BatchNorm1d(width_out) if normalization == "batch" else nn.LayerNorm(width_out))
        layers += [nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers)


def initialize(network: nn.Module, *, embedding_std: float = 0.1) -> None:
    """Sample linear weights from Xavier's normal (Glorot & Bengio, 2010) and embeddings from N(0, std^2)."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_normal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, 0.0, embedding_std)
