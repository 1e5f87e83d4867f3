"""Hyper-parameters of every model, apart from torch so that listing and creating experiments is quick."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from movielens_recsys.config import Config

Width = Annotated[int, Field(ge=1, le=65_536)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
Shrinkage = Annotated[float, Field(ge=0)]


class GlobalMeanConfig(Config):
    """Every pair gets the mean training rating."""

    name: Literal["global_mean"] = "global_mean"


class PopularityConfig(Config):
    """Lists by number of training ratings; stars by the item's mean, shrunk towards the global mean."""

    name: Literal["popularity"] = "popularity"
    shrinkage: Shrinkage = 10.0


class UserItemBiasConfig(Config):
    """Global mean + user bias + item bias, the ridge regression solved exactly."""

    name: Literal["user_item_bias"] = "user_item_bias"
    user_regularization: Shrinkage = 5.0
    item_regularization: Shrinkage = 3.0


class NeuralCFConfig(Config):
    """NeuMF: a generalised matrix factorisation and a perceptron over separate embeddings."""

    name: Literal["neural_cf"] = "neural_cf"
    n_factors: Width = 32
    hidden_dims: Annotated[tuple[Width, ...], Field(min_length=1, max_length=16)] = (64, 32, 16)
    dropout: Dropout = 0.2


class HybridVAEConfig(Config):
    """The plan's hybrid VAE: both embeddings -> encoder -> latent -> decoder -> rating.

    The defaults are what trains best; ``normalization: batch, bias_terms: false, output: sigmoid`` is the
    plan's text to the letter. docs/explanation/hybrid-vae.md has the figures of each step between the two.
    """

    name: Literal["hybrid_vae"] = "hybrid_vae"
    n_factors: Width = 150
    hidden_dims: Annotated[tuple[Width, ...], Field(min_length=1, max_length=16)] = (512, 256, 128)
    latent_dim: Width = 64
    dropout: Dropout = 0.2
    normalization: Literal["none", "layer", "batch"] = "none"
    bias_terms: bool = True
    output: Literal["linear", "sigmoid"] = "linear"


ModelConfig = Annotated[
    GlobalMeanConfig | PopularityConfig | UserItemBiasConfig | NeuralCFConfig | HybridVAEConfig,
    Field(discriminator="name"),
]
AnyModelConfig = GlobalMeanConfig | PopularityConfig | UserItemBiasConfig | NeuralCFConfig | HybridVAEConfig
