"""Hyper-parameters of the hybrid VAE, whose ``encoder`` chooses between two networks."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from movielens_recsys.config import distinct
from movielens_recsys.models.config import Dropout, NetworkConfig, SessionLengths, Width
from movielens_recsys.models.footprint import ModelFootprint, mlp_parameters

Variant = Literal["skip", "attention", "hierarchical"]

N_TIME_EFFECTS, N_AGES, N_AVERAGES = 3, 2, 4
ATTRIBUTE_WIDTH = 16
"""Width of the two-tower VAE's projection of an item's genres and year."""
MATCH_DIM, LAG_FEATURES, ATTENTION_FEATURES = 8, 3, 4
"""Of variant ``attention``: width of keys, numbers that encode a time lag, features that a pair gains."""
DAY_DIM = 4
"""Width of a day's latent in variant ``hierarchical``."""
_BYTES_PER_NUMBER = 4
_BYTES_PER_RATING, _BYTES_PER_EFFECT = 100, 20
_COPIES_OF_A_MATRIX = 4


class HybridVAEConfig(NetworkConfig):
    """The hybrid VAE: users and items -> encoder -> latent -> decoder -> rating.

    With ``encoder: pair``, both embeddings of a pair are encoded to one latent. Its defaults are what trains
    best; ``normalization: batch, bias_terms: false, output: sigmoid`` is the architecture that the project's
    specification describes. With ``encoder: two_sided``, the two-tower VAE, users are encoded from the
    ratings they gave, items from those they got, to a latent each, and ratings are ordered levels.
    docs/explanation/hybrid-vae.md leads to a page on each, with their metrics.

    Attributes
    ----------
    encoder
        ``pair`` for the pair VAE, ``two_sided`` for the two-tower VAE.
    n_factors
        Width of the embeddings; with ``two_sided``, of the fixed initial ones, from the SVD of who rated
        what.
    hidden_dims
        Widths of the encoder's layers; the decoder has them in reverse.
    latent_dim
        Units of a latent.
    dropout
        Fraction of a layer's units that is dropped in training.
    normalization, bias_terms, output
        Of ``pair`` alone: what normalises its layers, whether the rating has biases of user and item, and the
        last activation.
    rounds
        How often a two-tower encoder goes from items to users and back.
    latent_noise
        Fraction of the latents' standard deviation that is sampled in the training of a two-tower encoder.
    id_embeddings
        Whether the two towers have a freely learned embedding for each user and item too.
    side_information
        Whether the item tower sees genres and year, where known.
    time_effects, sessions
        Whether the decoder sees day, month and ages, and which lengths of sessions, where timestamps are
        known.
    variants
        ``skip``: every layer of the decoder sees its input again. ``attention``: attention over the ratings
        nearest in time, of the same user and of the same item. ``hierarchical``: priors of items from genres
        and year, latents of a user's day. Each has no effect where the data lack its input.
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
    variants: Annotated[tuple[Variant, ...], AfterValidator(distinct)] = ()

    @model_validator(mode="after")
    def _options_of_its_encoder(self) -> Self:
        others = _TWO_TOWER_OPTIONS if self.encoder == "pair" else _PAIR_OPTIONS
        defaults = {name: type(self).model_fields[name].default for name in others}
        changed = [name for name, default in defaults.items() if getattr(self, name) != default]
        if changed:
            raise ValueError(f"{', '.join(changed)}: not an option of encoder {self.encoder}")
        return self

    @property
    def is_two_tower(self) -> bool:
        """Whether users and items have an encoder each."""
        return self.encoder == "two_sided"

    @property
    def has_ordinal_output(self) -> bool:
        """Whether the decoder predicts a distribution over the levels: the two-tower one does."""
        return self.is_two_tower

    @property
    def masks_targets(self) -> bool:
        """Whether the ratings of a step are left out of what is encoded: by the two towers they are."""
        return self.is_two_tower

    @property
    def min_batch_rows(self) -> int:
        """Number of rows that a step needs: batch normalisation takes the variance of two."""
        return 2 if self.normalization == "batch" else 1

    @property
    def uses_kl_weight(self) -> bool:
        """Whether ``training.kl_weight`` has an effect: both networks have a latent."""
        return True

    def settings_needing_timestamps(self) -> tuple[str, ...]:
        """Return the names of the settings that have no effect without timestamps of ratings."""
        if not self.is_two_tower:
            return ()
        settings = tuple(name for name in ("time_effects", "sessions") if getattr(self, name))
        return (*settings, "variant attention") if "attention" in self.variants else settings

    def footprint(self) -> ModelFootprint:
        """Return the size of the network; a two-tower one's for data with timestamps, genres and years."""
        return _two_tower_footprint(self) if self.is_two_tower else _pair_footprint(self)


_PAIR_OPTIONS = ("normalization", "bias_terms", "output")
_TWO_TOWER_OPTIONS = (
    "rounds",
    "latent_noise",
    "id_embeddings",
    "side_information",
    "time_effects",
    "sessions",
    "variants",
)


def _pair_footprint(config: HybridVAEConfig) -> ModelFootprint:
    inward = (2 * config.n_factors, *config.hidden_dims)
    outward = (config.latent_dim, *reversed(config.hidden_dims))
    latent = 2 * (inward[-1] + 1) * config.latent_dim
    normalization = 0 if config.normalization == "none" else 2 * 2 * sum(config.hidden_dims)
    output, global_mean = outward[-1] + 1, 1
    layers = mlp_parameters(inward) + mlp_parameters(outward) + latent + normalization + output + global_mean
    return ModelFootprint(config.n_factors + config.bias_terms, layers, (*inward, *outward))


def _two_tower_footprint(config: HybridVAEConfig) -> ModelFootprint:
    n_effects = N_TIME_EFFECTS * config.time_effects + len(config.sessions)
    n_features = N_AVERAGES + 2 * (n_effects + N_AGES * config.time_effects)
    latent, variants = config.latent_dim, config.variants
    attention = hierarchical = 0
    if "attention" in variants:
        attention = 2 * (2 * latent * MATCH_DIM + LAG_FEATURES + 2)
        n_features += ATTENTION_FEATURES
    if "hierarchical" in variants and config.time_effects:
        hierarchical = latent * DAY_DIM + DAY_DIM + 1
    row = latent * config.id_embeddings
    attributes = ATTRIBUTE_WIDTH * config.side_information
    per_attribute = attributes + latent * (config.side_information and "hierarchical" in variants)
    towers = config.rounds * (_tower_parameters(config, row) + _tower_parameters(config, row + attributes))
    outward = (latent + n_features, *reversed(config.hidden_dims))
    decoder = latent + n_features + 1 + mlp_parameters(outward) + outward[-1] + 1
    if "skip" in variants:
        decoder += outward[0] * (sum(outward[2:]) + 1)
    matrices = config.rounds * _COPIES_OF_A_MATRIX * latent**2
    return ModelFootprint(
        row,
        towers + decoder + attributes + attention + hierarchical,
        (4 * latent, *outward),
        per_level=1,
        per_attribute=per_attribute,
        bytes_per_rating=_BYTES_PER_RATING + _BYTES_PER_EFFECT * n_effects,
        bytes_per_entity=matrices * _BYTES_PER_NUMBER,
    )


def _tower_parameters(config: HybridVAEConfig, extra_inputs: int) -> int:
    """Count one tower that reads ``extra_inputs`` numbers of each user or item beside its ratings."""
    width = 2 * config.latent_dim + 2 * config.n_factors + 1 + extra_inputs
    last = config.hidden_dims[-1]
    heads = (last + 1) * (config.latent_dim + 3)
    posterior = config.latent_dim + 1
    layers = mlp_parameters((width, *config.hidden_dims))
    return 2 * width + layers + heads + width * config.latent_dim + posterior
