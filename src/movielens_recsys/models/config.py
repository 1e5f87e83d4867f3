"""The base of every model's configuration, without torch so that listing experiments is quick.

Each model has its configuration in a module beside its class (`baselines_config.py` beside `baselines.py`);
`models.table` lists all of them, and `models.any_config` has the type "the configuration of any model".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from movielens_recsys.config import Config, distinct
from movielens_recsys.models.footprint import ModelFootprint

if TYPE_CHECKING:
    from movielens_recsys.data.scale import Scale

Width = Annotated[int, Field(ge=1, le=65_536)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
Shrinkage = Annotated[float, Field(ge=0)]
FitMethod = Literal["closed_form", "own_algorithm", "gradient", "mcmc"]
"""How a model is fitted: by one solve, by its own algorithm, by gradient descent, or by sampling."""


SessionLengths = Annotated[
    tuple[Annotated[int, Field(ge=1, le=100_000)], ...], Field(max_length=8), AfterValidator(distinct)
]


class ModelConfig(Config):
    """Hyper-parameters of one model, and what other packages need to know of it before it is built.

    A subclass has a literal ``name``, by which `models.table` finds it. This class declares no field of its
    own: the order of the fields is part of the hashes of configurations and checkpoints.

    Attributes
    ----------
    fit_method
        How the model learns.
    uses_positives
        Whether it learns from positives, ratings of ``min_positive_rating`` or more, instead of ratings.
    learns_from_interactions
        Whether it can learn from implicit data, which hold no ratings (`Ratings.implicit`).
    """

    fit_method: ClassVar[FitMethod] = "own_algorithm"
    uses_positives: ClassVar[bool] = False
    learns_from_interactions: ClassVar[bool] = False

    if TYPE_CHECKING:
        name: str

    @property
    def rating_model(self) -> ModelConfig:
        """The configuration of the model that predicts ratings: this one, or a part of it."""
        return self

    @property
    def ranking_model(self) -> ModelConfig:
        """The configuration of the model that orders items: this one, or a part of it."""
        return self

    @property
    def uses_mcmc(self) -> bool:
        """Whether ratings are predicted from samples of a posterior."""
        return self.rating_model.fit_method == "mcmc"

    @property
    def total_sweeps(self) -> int:
        """Number of Gibbs sweeps of all chains; 0 for a model that is not sampled."""
        return 0

    @property
    def has_ordinal_output(self) -> bool:
        """Whether a network predicts a distribution over the levels of the scale, as ``nll_weight`` needs."""
        return False

    @property
    def uses_kl_weight(self) -> bool:
        """Whether ``training.kl_weight`` has an effect: a network with a latent is trained by gradients."""
        return False

    def footprint(self) -> ModelFootprint | None:
        """Return the size of the network that predicts ratings; None without a network."""
        return None

    def positive_threshold_on(self, scale: Scale) -> float | None:
        """Return the rating from which a training rating is a positive; None if none or every one is."""
        return None

    @property
    def uses_seed(self) -> bool:
        """Whether ``training.seed`` has an effect: not on a closed form."""
        return self.fit_method != "closed_form"

    @property
    def masks_targets(self) -> bool:
        """Whether a network leaves the ratings of a step out of what it encodes users and items from."""
        return False

    @property
    def min_batch_rows(self) -> int:
        """Number of rows that a step of a network needs."""
        return 1

    def fit_bytes(self, n_ratings: int, n_users: int, n_items: int) -> int:
        """Return the main memory that a fit by the model's own algorithm takes; 0 if it is little."""
        return 0

    def settings_of_memory(self) -> tuple[str, ...]:
        """Return the keys, below ``model``, that lower the memory of a fit."""
        return ()

    def sampling_bytes(self, n_ratings: int, n_users: int, n_items: int) -> int:
        """Estimate the peak memory of sampling the model; 0 for a model that is not sampled."""
        return 0

    def settings_needing_timestamps(self) -> tuple[str, ...]:
        """Return the names of the settings that have no effect without timestamps of ratings."""
        return ()

    def with_more_capacity(self, factor: float) -> dict[str, Any]:
        """Return changes that make the model ``factor`` times as wide; none for a model without layers."""
        return {}


class NetworkConfig(ModelConfig):
    """A network over embeddings that `training` fits epoch by epoch."""

    fit_method: ClassVar[FitMethod] = "gradient"

    if TYPE_CHECKING:
        n_factors: int
        hidden_dims: tuple[int, ...]

    def settings_of_memory(self) -> tuple[str, ...]:
        """Return the width of the embeddings, which are in proportion to users and items."""
        return ("n_factors",)

    def with_more_capacity(self, factor: float) -> dict[str, Any]:
        """Return wider embeddings and hidden layers."""
        return {
            "n_factors": round(self.n_factors * factor),
            "hidden_dims": [round(width * factor) for width in self.hidden_dims],
        }
