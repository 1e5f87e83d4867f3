"""Hyper-parameters of the Bayesian factor model."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from movielens_recsys.models.config import FitMethod, ModelConfig, SessionLengths, Width

_BYTES_PER_RATING = 150
"""The ratings, sorted by user and by item too, groups of random effects, and a sweep's working arrays."""
_COPIES_OF_A_KERNEL = 3
"""Eigenvectors of both implicit features, the users' loadings, and projections of a decomposition."""


class BayesianMFConfig(ModelConfig):
    """Ordinal Bayesian factor model, averaged over Gibbs samples. `training` gives it only its seed.

    docs/explanation/bayesian-mf.md has the model and what each part of it is worth.

    Attributes
    ----------
    n_factors
        Factors of each user and item beside their bias; one below a multiple of 8 is quickest.
    chains
        Number of chains, each from its own start; predictions average over all.
    sweeps, burn_in
        Gibbs sweeps of each chain, and how many at the beginning are thrown away.
    n_posterior_samples
        How many of the remaining sweeps, of all chains together and evenly spaced, predictions average over;
        all, where there are fewer. Each takes 2 bytes x ((users + 2 x items) x (1 + n_factors) + groups of
        random effects), in memory and bundle.
    implicit_features
        Users are similar to those who rated the same items, items to those rated by the same users (SVD++).
    side_information
        Users are similar by age, gender, occupation and region, items by genres and year, where known.
    time_effects
        An effect of each user's day, each day and each item's month; needs timestamps, when predicting too.
    sessions
        An effect of each run of so many ratings of one user; needs timestamps, when predicting too.
    kernel_rank
        Maximum rank of the similarity by implicit features or side information. Memory and the time before
        the first sweep are in proportion to it: 100 to 300 for tens of millions of ratings.
    noise_shape
        How similar users' noise is: its precision is Gamma(noise_shape, noise_shape) from user to user.
    """

    fit_method: ClassVar[FitMethod] = "mcmc"
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
    def _some_sweeps_after_burn_in(self) -> Self:
        if self.burn_in >= self.sweeps:
            raise ValueError(f"burn_in {self.burn_in} leaves none of {self.sweeps} sweeps; expected fewer")
        return self

    @property
    def total_sweeps(self) -> int:
        """Number of Gibbs sweeps of all chains."""
        return self.chains * self.sweeps

    def settings_needing_timestamps(self) -> tuple[str, ...]:
        """Return the names of the settings that have no effect without timestamps of ratings.

        >>> BayesianMFConfig(sessions=()).settings_needing_timestamps()
        ('time_effects',)
        """
        return tuple(name for name in ("time_effects", "sessions") if getattr(self, name))

    def settings_of_memory(self) -> tuple[str, ...]:
        """Return the settings that memory is in proportion to."""
        return ("kernel_rank", "n_posterior_samples")

    def sampling_bytes(self, n_ratings: int, n_users: int, n_items: int) -> int:
        """Estimate the peak memory of sampling: ratings and their groups, kernels, posterior samples.

        The number of groups of random effects is not known before; one for each rating is assumed.
        """
        entities = n_users + n_items if self.implicit_features else 0
        kernels = _COPIES_OF_A_KERNEL * 4 * self.kernel_rank * entities
        factors = (n_users + n_items + n_items * self.implicit_features) * (1 + self.n_factors)
        groups = n_ratings if self.time_effects or self.sessions or self.side_information else 0
        return n_ratings * _BYTES_PER_RATING + kernels + self.n_posterior_samples * 2 * (factors + groups)
