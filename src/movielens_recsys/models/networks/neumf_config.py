"""Hyper-parameters of NeuMF."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from movielens_recsys.models.config import Dropout, NetworkConfig, Width
from movielens_recsys.models.footprint import ModelFootprint, mlp_parameters


class NeuMFConfig(NetworkConfig):
    """NeuMF: a generalised matrix factorisation and a multilayer perceptron over separate embeddings."""

    name: Literal["neural_cf"] = "neural_cf"
    n_factors: Width = 32
    hidden_dims: Annotated[tuple[Width, ...], Field(min_length=1, max_length=16)] = (64, 32, 16)
    dropout: Dropout = 0.2

    def footprint(self) -> ModelFootprint:
        """Return the size of `networks.neumf.NeuMF`."""
        widths = (2 * self.n_factors, *self.hidden_dims)
        output = self.n_factors + widths[-1] + 1
        global_mean = 1
        return ModelFootprint(2 * self.n_factors, mlp_parameters(widths) + output + global_mean, widths)
