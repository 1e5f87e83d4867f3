"""How large a model is, from its configuration alone: without torch, before anything is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from movielens_recsys.models.config import (
    AnyModelConfig,
    HybridVAEConfig,
    NeuMFConfig,
    RatingRankingConfig,
)

N_TIME_EFFECTS, N_AGES, N_AVERAGES = 3, 2, 4
ATTRIBUTE_WIDTH = 16
"""Numbers that a two-sided encoder makes of an item's genres and year."""
MATCH_DIM, LAG_FEATURES, LOOK_FEATURES = 8, 3, 4
"""Of variant `attention`: width of keys, numbers that say how long ago, numbers that a pair gains."""
DAY_DIM = 4
"""Width of a day's latent in variant `hierarchical`."""
_BYTES_A_NUMBER = 4
_BYTES_A_READ_RATING, _BYTES_AN_EFFECT = 100, 20
_COPIES_OF_A_MATRIX = 4


@dataclass(frozen=True, slots=True)
class ModelFootprint:
    """What a neural model learns: ``row`` numbers for each user and item, ``layers`` in its layers.

    Beside these it may have ``level`` numbers for each level of the scale but one, and ``attribute`` for each
    genre and year. ``widths`` are those of its layers, each input first, as a pair of user and item passes
    through them. A model that reads ratings while it trains holds ``read_bytes`` for each rating and
    ``side_bytes`` for each user and item.
    """

    row: int
    layers: int
    widths: tuple[int, ...]
    level: int = 0
    attribute: int = 0
    read_bytes: int = 0
    side_bytes: int = 0

    def parameters(self, n_users: int, n_items: int, n_levels: int = 1, n_attributes: int = 0) -> int:
        """Return how many numbers it learns in all."""
        of_data = self.level * (n_levels - 1) + self.attribute * n_attributes
        return self.row * (n_users + n_items) + self.layers + of_data


def footprint_of(config: AnyModelConfig) -> ModelFootprint | None:
    """Return the size of a neural model, of its stars for one with two heads; None for any other."""
    if isinstance(config, RatingRankingConfig):
        return footprint_of(config.stars)
    if isinstance(config, NeuMFConfig):
        widths = (2 * config.n_factors, *config.hidden_dims)
        output = config.n_factors + widths[-1] + 1
        return ModelFootprint(2 * config.n_factors, _weights(widths) + output + 1, widths)
    if isinstance(config, HybridVAEConfig):
        return _two_sided(config) if config.encoder == "two_sided" else _pair(config)
    return None


def _pair(config: HybridVAEConfig) -> ModelFootprint:
    inward = (2 * config.n_factors, *config.hidden_dims)
    outward = (config.latent_dim, *reversed(config.hidden_dims))
    latent = 2 * (inward[-1] + 1) * config.latent_dim
    normalization = 0 if config.normalization == "none" else 2 * 2 * sum(config.hidden_dims)
    layers = _weights(inward) + _weights(outward) + latent + normalization + outward[-1] + 1
    return ModelFootprint(config.n_factors + config.bias_terms, layers + 1, (*inward, *outward))


def _two_sided(config: HybridVAEConfig) -> ModelFootprint:
    """Count what a network has whose data have times, and genres or years."""
    n_effects = N_TIME_EFFECTS * config.time_effects + len(config.sessions)
    n_features = N_AVERAGES + 2 * (n_effects + N_AGES * config.time_effects)
    latent, variants = config.latent_dim, config.variants
    attention = hierarchical = 0
    if "attention" in variants:
        attention = 2 * (2 * latent * MATCH_DIM + LAG_FEATURES + 2)
        n_features += LOOK_FEATURES
    if "hierarchical" in variants and config.time_effects:
        hierarchical = latent * DAY_DIM + DAY_DIM + 1
    row = latent * config.id_embeddings
    attributes = ATTRIBUTE_WIDTH * config.side_information
    of_an_attribute = attributes + latent * (config.side_information and "hierarchical" in variants)
    encoders = config.rounds * (_side(config, row) + _side(config, row + attributes))
    outward = (latent + n_features, *reversed(config.hidden_dims))
    decoder = latent + n_features + 1 + _weights(outward) + outward[-1] + 1
    if "skip" in variants:
        decoder += outward[0] * (sum(outward[2:]) + 1)
    matrices = config.rounds * _COPIES_OF_A_MATRIX * latent**2
    return ModelFootprint(
        row,
        encoders + decoder + attributes + attention + hierarchical,
        (4 * latent, *outward),
        level=1,
        attribute=of_an_attribute,
        read_bytes=_BYTES_A_READ_RATING + _BYTES_AN_EFFECT * n_effects,
        side_bytes=matrices * _BYTES_A_NUMBER,
    )


def _side(config: HybridVAEConfig, more: int) -> int:
    """Count one encoder that reads ``more`` numbers of each of its users or items beside their ratings."""
    width = 2 * config.latent_dim + 2 * config.n_factors + 1 + more
    last = config.hidden_dims[-1]
    heads = (last + 1) * (config.latent_dim + 3)
    posterior = config.latent_dim + 1
    return 2 * width + _weights((width, *config.hidden_dims)) + heads + width * config.latent_dim + posterior


def _weights(widths: Sequence[int]) -> int:
    return sum((width_in + 1) * width_out for width_in, width_out in pairwise(widths))
