"""Variant ``skip``: every layer of the decoder sees the decoder's input again, the output too.

h_k+1 = layer([h_k, x]); skips from the latent keep a decoder from doing without it (Dieng et al., 2019,
https://arxiv.org/abs/1807.04863).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from movielens_recsys.models.networks.layers import mlp


class SkipPerceptron(nn.Module):
    """A perceptron through ``widths`` (input width first) whose answer has the input beside it."""

    def __init__(self, widths: Sequence[int], dropout: float) -> None:
        super().__init__()
        width = widths[0]
        self.layers = nn.ModuleList(
            mlp((before + width, after), normalization="none", dropout=dropout)
            for before, after in pairwise((0, *widths[1:]))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return [h_last, x], shape (n, last width + first width)."""
        seen = x
        for layer in self.layers:
            seen = torch.cat([layer(seen), x], dim=1)
        return seen
