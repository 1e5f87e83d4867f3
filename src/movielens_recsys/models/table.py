"""Every model in one line: its name, its configuration and its class.

Classes are imported when they are used, so that a configuration costs no import of torch or scipy.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, cast

from pydantic import Field

from movielens_recsys.errors import UnknownNameError

if TYPE_CHECKING:
    from movielens_recsys.models.base import Model
    from movielens_recsys.models.config import ModelConfig

Group = Literal["rating", "ranking", "blend", "composite", "ensemble"]
"""A model for ratings, for rankings, a blend of rankings, one for both, or a stack of fitted models."""


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A model's group, and its configuration and class as ``module:Class`` of `movielens_recsys.models`."""

    group: Group
    config: str
    model: str

    @property
    def model_module(self) -> str:
        """The full name of the module of the class."""
        return _split(self.model)[0]

    def config_class(self) -> type[ModelConfig]:
        """Import and return the class of the configuration."""
        return cast("type[ModelConfig]", _load(self.config))

    def model_class(self) -> type[Model]:
        """Import and return the class of the model."""
        return cast("type[Model]", _load(self.model))


MODELS: dict[str, TableEntry] = {
    "global_mean": TableEntry("rating", "baselines_config:GlobalMeanConfig", "baselines:GlobalMean"),
    "popularity": TableEntry("rating", "baselines_config:PopularityConfig", "baselines:Popularity"),
    "user_item_bias": TableEntry("rating", "baselines_config:UserItemBiasConfig", "baselines:UserItemBias"),
    "neural_cf": TableEntry("rating", "networks.neumf_config:NeuMFConfig", "networks.neumf:NeuMFRecommender"),
    "hybrid_vae": TableEntry("rating", "hybrid_vae_config:HybridVAEConfig", "hybrid_vae:HybridVAE"),
    "bayesian_mf": TableEntry("rating", "bayesian.config:BayesianMFConfig", "bayesian.model:BayesianMF"),
    "ease": TableEntry("ranking", "implicit.ease_config:EASEConfig", "implicit.ease:EASE"),
    "ials": TableEntry("ranking", "implicit.ials_config:IALSConfig", "implicit.ials:IALS"),
    "item_knn": TableEntry("ranking", "implicit.item_knn_config:ItemKNNConfig", "implicit.item_knn:ItemKNN"),
    "mult_vae": TableEntry("ranking", "implicit.mult_vae_config:MultVAEConfig", "implicit.mult_vae:MultVAE"),
    "list_blend": TableEntry("blend", "implicit.blend_config:ScoreBlendConfig", "implicit.blend:ScoreBlend"),
    "stars_and_lists": TableEntry(
        "composite", "composite_config:RatingRankingConfig", "composite:RatingRankingModel"
    ),
    "ensemble": TableEntry("ensemble", "ensemble.config:EnsembleConfig", "ensemble.model:Ensemble"),
}


def entry_of(name: str) -> TableEntry:
    """Return the entry of the model ``name``.

    Raises
    ------
    UnknownNameError
        Naming the nearest model.
    """
    if name not in MODELS:
        raise UnknownNameError("model", name, list(MODELS))
    return MODELS[name]


def union_of(*groups: Group) -> Any:
    """Return the type "the configuration of a model of one of these groups", chosen by ``name``."""
    classes = tuple(entry.config_class() for entry in MODELS.values() if entry.group in groups)
    return Annotated[Union[classes], Field(discriminator="name")]  # noqa: UP007


def _split(place: str) -> tuple[str, str]:
    module, _, name = place.partition(":")
    return f"{__package__}.{module}", name


def _load(place: str) -> Any:
    module, name = _split(place)
    return getattr(import_module(module), name)
