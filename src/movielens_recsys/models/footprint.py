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
    row
        Parameters of each user and item: the width of its embedding.
    layers
        Parameters of all layers together.
    widths
        Widths of the layers, each input first, as a pair of user and item passes through them.
    level
        Parameters of each level of the rating scale but one.
    attribute
        Parameters of each genre and year.
    read_bytes, side_bytes
        Bytes held for each training rating, and for each user and item, by a network that encodes ratings.
    """

    row: int
    layers: int
    widths: tuple[int, ...]
    level: int = 0
    attribute: int = 0
    read_bytes: int = 0
    side_bytes: int = 0

    def parameters(self, n_users: int, n_items: int, n_levels: int = 1, n_attributes: int = 0) -> int:
        """Return the number of parameters."""
        of_data = self.level * (n_levels - 1) + self.attribute * n_attributes
        return self.row * (n_users + n_items) + self.layers + of_data


def mlp_parameters(widths: Sequence[int]) -> int:
    """Return the number of weights and biases of linear layers through ``widths``, input width first.

    >>> mlp_parameters((3, 2, 1))
    11
    """
    return sum((width_in + 1) * width_out for width_in, width_out in pairwise(widths))
