"""How large a network is, from its configuration alone: without torch, before anything is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class ModelFootprint:
    """What a network learns and what it holds in memory while it trains.

    Attributes
    ----------
    embedding_dim
        Parameters of each user and item.
    layers
        Parameters of all layers together.
    widths
        Widths of the layers, each input first, as a pair of user and item passes through them.
    per_level
        Parameters of each level of the rating scale but one.
    per_attribute
        Parameters of each genre and year.
    bytes_per_rating, bytes_per_entity
        Bytes held for each training rating, and for each user and item, by a network that encodes ratings.
    """

    embedding_dim: int
    layers: int
    widths: tuple[int, ...]
    per_level: int = 0
    per_attribute: int = 0
    bytes_per_rating: int = 0
    bytes_per_entity: int = 0

    def parameters(self, n_users: int, n_items: int, n_levels: int = 1, n_attributes: int = 0) -> int:
        """Return the number of parameters."""
        of_data = self.per_level * (n_levels - 1) + self.per_attribute * n_attributes
        return self.embedding_dim * (n_users + n_items) + self.layers + of_data


def mlp_parameters(widths: Sequence[int]) -> int:
    """Return the number of weights and biases of linear layers through ``widths``, input width first.

    >>> mlp_parameters((3, 2, 1))
    11
    """
    return sum((width_in + 1) * width_out for width_in, width_out in pairwise(widths))
