"""Variant ``skip``: every layer of the decoder, and its output, also reads the decoder's input.

h_k+1 = layer([h_k, x]). Skip connections from the latent keep a decoder from ignoring it (Dieng et al.,
2019, https://arxiv.org/abs/1807.04863).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from movielens_recsys.models.networks.layers import mlp


class SkipMLP(nn.Module):
    """An MLP through ``widths`` (input width first) with the input beside its output and every layer's."""

    def __init__(self, widths: Sequence[int], dropout: float) -> None:
        super().__init__()
        width = widths[0]
        self.layers = nn.ModuleList(
            mlp((before + width, after), normalization="none", dropout=dropout)
            for before, after in pairwise((0, *widths[1:]))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return [h_last, x], shape (n, last width + first width)."""
        hidden = x
        for layer in self.layers:
            hidden = torch.cat([layer(hidden), x], dim=1)
        return hidden
