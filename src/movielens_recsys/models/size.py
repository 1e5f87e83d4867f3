"""How large a model is, from its configuration alone: without torch, before anything is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from movielens_recsys.models.config import (
    AnyModelConfig,
    HybridVAEConfig,
    NeuralCFConfig,
    StarsAndListsConfig,
)


@dataclass(frozen=True, slots=True)
class Size:
    """What a neural model learns: ``row`` numbers for each user and item, ``layers`` in its layers.

    ``widths`` are those of its layers, each input first, as a pair of user and item passes through them.
    """

    row: int
    layers: int
    widths: tuple[int, ...]

    def parameters(self, n_users: int, n_items: int) -> int:
        """Return how many numbers it learns in all."""
        return self.row * (n_users + n_items) + self.layers


def size_of(config: AnyModelConfig) -> Size | None:
    """Return the size of a neural model, of its stars for one with two heads; None for any other."""
    if isinstance(config, StarsAndListsConfig):
        return size_of(config.stars)
    if isinstance(config, NeuralCFConfig):
        widths = (2 * config.n_factors, *config.hidden_dims)
        output = config.n_factors + widths[-1] + 1
        return Size(2 * config.n_factors, _weights(widths) + output + 1, widths)
    if isinstance(config, HybridVAEConfig):
        inward = (2 * config.n_factors, *config.hidden_dims)
        outward = (config.latent_dim, *reversed(config.hidden_dims))
        latent = 2 * (inward[-1] + 1) * config.latent_dim
        normalization = 0 if config.normalization == "none" else 2 * 2 * sum(config.hidden_dims)
        layers = _weights(inward) + _weights(outward) + latent + normalization + outward[-1] + 1
        return Size(config.n_factors + config.bias_terms, layers + 1, (*inward, *outward))
    return None


def _weights(widths: Sequence[int]) -> int:
    return sum((width_in + 1) * width_out for width_in, width_out in pairwise(widths))
