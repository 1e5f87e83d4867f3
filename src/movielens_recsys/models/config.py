"""Hyper-parameters of every model, apart from torch so that listing and creating experiments is quick."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

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
    """The hybrid VAE: users and items -> encoder -> latent -> decoder -> rating.

    With ``encoder: pair``, the plan's, both embeddings of a pair are encoded to one latent. Its defaults are
    what trains best; ``normalization: batch, bias_terms: false, output: sigmoid`` is the plan's text to the
    letter. With ``encoder: two_sided``, users are encoded from the ratings they gave, items from those they
    got, to a latent each, and ratings are ordered levels. docs/explanation/hybrid-vae.md has both, and the
    figures.

    Attributes
    ----------
    n_factors
        Width of the embeddings; of a two-sided encoder, of its fixed start from who rated what.
    hidden_dims
        Widths of the encoder's layers; the decoder has them in reverse.
    normalization, bias_terms, output
        Of ``pair`` alone.
    rounds
        How often a two-sided encoder goes from items to users and back.
    latent_noise
        How much of the latents' standard deviation is drawn in the training of a two-sided encoder.
    id_embeddings
        Whether the two-sided encoders have a freely learned row for each user and item too.
    side_information
        Whether the items' encoder sees genres and year, where known.
    time_effects, sessions
        Whether the decoder sees day, month and ages, and which lengths of sessions, where times are known.
    """

    name: Literal["hybrid_vae"] = "hybrid_vae"
    encoder: Literal["pair", "two_sided"] = "pair"
    n_factors: Width = 150
    hidden_dims: Annotated[tuple[Width, ...], Field(min_length=1, max_length=16)] = (512, 256, 128)
    latent_dim: Width = 64
    dropout: Dropout = 0.2
    normalization: Literal["none", "layer", "batch"] = "none"
    bias_terms: bool = True
    output: Literal["linear", "sigmoid"] = "linear"
    rounds: Annotated[int, Field(ge=1, le=16)] = 2
    latent_noise: Annotated[float, Field(ge=0, le=1)] = 0.0
    id_embeddings: bool = False
    side_information: bool = True
    time_effects: bool = True
    sessions: Annotated[tuple[Annotated[int, Field(ge=1, le=100_000)], ...], Field(max_length=8)] = (5, 20)

    @model_validator(mode="after")
    def _options_of_its_encoder(self) -> Self:
        others = _TWO_SIDED_OPTIONS if self.encoder == "pair" else _PAIR_OPTIONS
        defaults = {name: type(self).model_fields[name].default for name in others}
        changed = [name for name, default in defaults.items() if getattr(self, name) != default]
        if changed:
            raise ValueError(f"{', '.join(changed)}: not an option of encoder {self.encoder}")
        return self


_PAIR_OPTIONS = ("normalization", "bias_terms", "output")
_TWO_SIDED_OPTIONS = (
    "rounds",
    "latent_noise",
    "id_embeddings",
    "side_information",
    "time_effects",
    "sessions",
)


class BayesianMFConfig(Config):
    """Ordinal Bayesian factor model: Gibbs sampling, averaged over draws. `training` gives it only its seed.

    docs/explanation/bayesian-mf.md has the model and what each part of it is worth.

    Attributes
    ----------
    n_factors
        Factors of each user and item beside their bias.
    sweeps, burn_in
        Gibbs sweeps in all, and how many at the beginning are thrown away.
    kept_draws
        How many of the others, evenly spaced, predictions average over.
    bags
        Users are like those who rated the same items, items like those rated by the same users (SVD++).
    side_information
        Users are alike by age, gender, occupation and region, items by genres and year, where known.
    time_effects
        A shift for each user's day, each day and each item's month; needs times, when predicting too.
    sessions
        A shift for each so many ratings in a row of one user; needs times, when predicting too.
    kernel_rank
        Most dimensions that similarity by bags or side information has.
    noise_shape
        How alike users' noise is: its precision is Gamma(noise_shape, noise_shape) from user to user.
    """

    name: Literal["bayesian_mf"] = "bayesian_mf"
    n_factors: Width = 16
    sweeps: Annotated[int, Field(ge=2, le=1_000_000)] = 350
    burn_in: Annotated[int, Field(ge=1, le=1_000_000)] = 80
    kept_draws: Annotated[int, Field(ge=1, le=100_000)] = 100
    bags: bool = True
    side_information: bool = True
    time_effects: bool = True
    sessions: Annotated[tuple[Annotated[int, Field(ge=1, le=100_000)], ...], Field(max_length=8)] = (5, 20)
    kernel_rank: Annotated[int, Field(ge=1, le=4_096)] = 1_500
    noise_shape: Annotated[float, Field(gt=0, le=1_000)] = 4.0

    @model_validator(mode="after")
    def _keeps_something(self) -> Self:
        if self.burn_in >= self.sweeps:
            raise ValueError(f"burn_in {self.burn_in} leaves none of {self.sweeps} sweeps; expected fewer")
        return self


ModelConfig = Annotated[
    GlobalMeanConfig
    | PopularityConfig
    | UserItemBiasConfig
    | NeuralCFConfig
    | HybridVAEConfig
    | BayesianMFConfig,
    Field(discriminator="name"),
]
AnyModelConfig = (
    GlobalMeanConfig
    | PopularityConfig
    | UserItemBiasConfig
    | NeuralCFConfig
    | HybridVAEConfig
    | BayesianMFConfig
)
