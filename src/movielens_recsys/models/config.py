"""Hyper-parameters of every model, apart from torch so that listing and creating experiments is quick."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from movielens_recsys.config import Config

T = TypeVar("T")
Width = Annotated[int, Field(ge=1, le=65_536)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
Shrinkage = Annotated[float, Field(ge=0)]
Variant = Literal["skip", "attention", "hierarchical"]


def _distinct(values: tuple[T, ...]) -> tuple[T, ...]:
    if len(set(values)) < len(values):
        raise ValueError(f"{', '.join(map(str, values))} names one twice; expected each once")
    return values


SessionLengths = Annotated[
    tuple[Annotated[int, Field(ge=1, le=100_000)], ...], Field(max_length=8), AfterValidator(_distinct)
]


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


class NeuMFConfig(Config):
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
    variants
        ``skip``: every layer of the decoder sees its input again. ``attention``: a look at the ratings
        nearest in time, of the same user and of the same item. ``hierarchical``: priors of items from genres
        and year, latents of a user's day. Each does nothing where the data lack what it looks at.
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
    sessions: SessionLengths = (3, 8, 25)
    variants: Annotated[tuple[Variant, ...], AfterValidator(_distinct)] = ()

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
    "variants",
)


class BayesianMFConfig(Config):
    """Ordinal Bayesian factor model: Gibbs sampling, averaged over draws. `training` gives it only its seed.

    docs/explanation/bayesian-mf.md has the model and what each part of it is worth.

    Attributes
    ----------
    n_factors
        Factors of each user and item beside their bias; one below a multiple of 8 is quickest.
    chains
        How many chains are drawn, each from a start of its own; predictions average over all.
    sweeps, burn_in
        Gibbs sweeps of each chain, and how many at the beginning are thrown away.
    n_posterior_samples
        How many of the others, of all chains together and evenly spaced, predictions average over; all, where
        there are fewer. Each takes 2 bytes x ((users + 2 x items) x (1 + n_factors) + groups of random
        effects), in memory and bundle.
    bags
        Users are like those who rated the same items, items like those rated by the same users (SVD++).
    side_information
        Users are alike by age, gender, occupation and region, items by genres and year, where known.
    time_effects
        A shift for each user's day, each day and each item's month; needs times, when predicting too.
    sessions
        A shift for each so many ratings in a row of one user; needs times, when predicting too.
    kernel_rank
        Most dimensions that similarity by bags or side information has. Memory and the time before the first
        sweep are in proportion to it: 100 to 300 for tens of millions of ratings.
    noise_shape
        How alike users' noise is: its precision is Gamma(noise_shape, noise_shape) from user to user.
    """

    name: Literal["bayesian_mf"] = "bayesian_mf"
    n_factors: Width = 15
    chains: Annotated[int, Field(ge=1, le=1_000)] = 1
    sweeps: Annotated[int, Field(ge=2, le=1_000_000)] = 350
    burn_in: Annotated[int, Field(ge=1, le=1_000_000)] = 80
    n_posterior_samples: Annotated[int, Field(ge=1, le=100_000, serialization_alias="kept_draws")] = 100
    implicit_features: bool = Field(default=True, serialization_alias="bags")
    side_information: bool = True
    time_effects: bool = True
    sessions: SessionLengths = (3, 8, 25)
    kernel_rank: Annotated[int, Field(ge=1, le=4_096)] = 1_500
    noise_shape: Annotated[float, Field(gt=0, le=1_000)] = 4.0

    @model_validator(mode="after")
    def _keeps_something(self) -> Self:
        if self.burn_in >= self.sweeps:
            raise ValueError(f"burn_in {self.burn_in} leaves none of {self.sweeps} sweeps; expected fewer")
        return self


class ImplicitConfig(Config):
    """What every model of `models.lists` has.

    Attributes
    ----------
    min_positive_rating
        Stars from which a training rating counts as a positive; none: every rating does, which is best for
        foretelling what somebody will watch, if not what they will like.
    """

    min_positive_rating: float | None = Field(default=None, serialization_alias="positive_from")


class EASEConfig(ImplicitConfig):
    """EASE: a linear map from a history to scores of the catalogue, solved in closed form.

    Attributes
    ----------
    regularization
        Ridge penalty; between a tenth and a third of the mean number of positives of an item is a start.
    user_damping
        A user with n positives counts n^-user_damping; 0: heavy raters count more, 1: everyone alike.
    max_items
        Only so many of the most rated items take part; memory is 16 bytes x max_items^2.
    """

    name: Literal["ease"] = "ease"
    regularization: Annotated[float, Field(gt=0)] = 500.0
    user_damping: Annotated[float, Field(ge=0, le=1)] = 0.5
    max_items: Annotated[int, Field(ge=1, le=100_000)] = 15_000


class IALSConfig(ImplicitConfig):
    """iALS: factors fitted to the whole user x item table of positives, alternating exactly.

    Attributes
    ----------
    n_factors
        Factors of each user and item.
    unobserved_weight
        What a pair without a positive counts, where a positive counts 1.
    regularization
        Ridge penalty, multiplied for each user and item by their positives + unobserved_weight x the others.
    sweeps
        How often both sides are solved.
    """

    name: Literal["ials"] = "ials"
    n_factors: Annotated[int, Field(ge=1, le=4_096)] = 64
    unobserved_weight: Annotated[float, Field(gt=0, le=1)] = 0.3
    regularization: Annotated[float, Field(gt=0)] = 0.01
    sweeps: Annotated[int, Field(ge=1, le=1_000)] = 10


class ItemKNNConfig(ImplicitConfig):
    """Items are like those that the same users rated: cosine of their positives, shrunk.

    Attributes
    ----------
    neighbours
        How many most alike items each item is scored by.
    shrinkage
        Added to the cosine's denominator, so that few common users say little.
    """

    name: Literal["item_knn"] = "item_knn"
    neighbours: Annotated[int, Field(ge=1, le=100_000)] = 100
    shrinkage: Shrinkage = 50.0


class MultVAEConfig(ImplicitConfig):
    """Mult-VAE: a variational autoencoder of a whole history with a multinomial likelihood.

    `training` gives it only its seed.

    Attributes
    ----------
    hidden_dim, latent_dim
        Widths of the hidden layers of encoder and decoder, and of the latent between them.
    dropout
        Share of a history that is hidden from the encoder in training.
    kl_weight
        Weight of the KL (beta) after a linear rise over the first half of the epochs.
    weight_decay
        Decoupled weight decay (AdamW).
    """

    name: Literal["mult_vae"] = "mult_vae"
    hidden_dim: Width = 600
    latent_dim: Width = 200
    dropout: Dropout = 0.5
    kl_weight: Annotated[float, Field(ge=0, le=10)] = 0.3
    epochs: Annotated[int, Field(ge=1, le=100_000)] = 60
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = 500
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0, le=100)] = 0.0


BaseModelConfig = Annotated[
    EASEConfig | IALSConfig | ItemKNNConfig | MultVAEConfig,
    Field(discriminator="name"),
]


class BlendMember(Config):
    """A list model and what its scores count in a blend."""

    model: BaseModelConfig
    weight: float = 1.0


class ScoreBlendConfig(ImplicitConfig):
    """Several list models' scores, standardised for each user and added with weights.

    ``min_positive_rating`` is that of all members; other fields of theirs are as in their own sections.
    """

    name: Literal["list_blend"] = "list_blend"
    members: Annotated[tuple[BlendMember, ...], Field(min_length=1, max_length=16)]

    @model_validator(mode="after")
    def _one_min_positive_rating(self) -> Self:
        if any(member.model.min_positive_rating is not None for member in self.members):
            raise ValueError("min_positive_rating is a member's; expected it beside members, for all of them")
        return self


AnyRankingConfig = EASEConfig | IALSConfig | ItemKNNConfig | MultVAEConfig | ScoreBlendConfig
AnyRatingConfig = (
    GlobalMeanConfig
    | PopularityConfig
    | UserItemBiasConfig
    | NeuMFConfig
    | HybridVAEConfig
    | BayesianMFConfig
)


class RatingRankingConfig(Config):
    """Two models in one: ``stars`` predicts ratings, ``lists`` orders the catalogue."""

    name: Literal["stars_and_lists"] = "stars_and_lists"
    stars: Annotated[AnyRatingConfig, Field(discriminator="name")]
    lists: Annotated[AnyRankingConfig, Field(discriminator="name")]


AnyModelConfig = AnyRatingConfig | AnyRankingConfig | RatingRankingConfig
ModelConfig = Annotated[AnyModelConfig, Field(discriminator="name")]


def settings_needing_timestamps(config: AnyModelConfig) -> tuple[str, ...]:
    """Return the names of the settings that do nothing without the times of ratings.

    >>> settings_needing_timestamps(BayesianMFConfig(sessions=()))
    ('time_effects',)
    """
    if isinstance(config, RatingRankingConfig):
        return settings_needing_timestamps(config.stars)
    if isinstance(config, HybridVAEConfig) and config.encoder == "two_sided":
        variants = tuple(f"variant {name}" for name in config.variants if name == "attention")
    elif isinstance(config, BayesianMFConfig):
        variants = ()
    else:
        return ()
    return (*(name for name in ("time_effects", "sessions") if getattr(config, name)), *variants)


BlendName = Literal["mean", "ridge", "gbm"]


class EnsembleConfig(Config):
    """Fitted models blended into one: made of experiments by ``recsys ensemble``, never trained as one."""

    name: Literal["ensemble"] = "ensemble"
    members: Annotated[tuple[ModelConfig, ...], Field(min_length=2, max_length=100)]
    blend: BlendName


FittedConfig = Annotated[ModelConfig | EnsembleConfig, Field(discriminator="name")]
"""What a bundle may hold: any model, or an ensemble of them."""
AnyFittedConfig = AnyModelConfig | EnsembleConfig
