"""The configuration of a model with two parts: one for ratings, one for rankings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.footprint import ModelFootprint
from movielens_recsys.models.table import union_of

if TYPE_CHECKING:
    from movielens_recsys.models.implicit.config import ImplicitConfig

    RatingModelConfig = ModelConfig
    RankingModelConfig = ImplicitConfig
else:
    RatingModelConfig = union_of("rating")
    RankingModelConfig = union_of("ranking", "blend")


class RatingRankingConfig(ModelConfig):
    """Two models in one: ``stars`` predicts ratings, ``lists`` orders the catalogue."""

    name: Literal["stars_and_lists"] = "stars_and_lists"
    stars: RatingModelConfig
    lists: RankingModelConfig

    @property
    def rating_model(self) -> ModelConfig:
        """The configuration of the model that predicts ratings."""
        return self.stars

    @property
    def ranking_model(self) -> ModelConfig:
        """The configuration of the model that orders items."""
        return self.lists

    @property
    def total_sweeps(self) -> int:
        """Number of Gibbs sweeps of the rating model."""
        return self.stars.total_sweeps

    @property
    def has_ordinal_output(self) -> bool:
        """Whether the rating model predicts a distribution over the levels of the scale."""
        return self.stars.has_ordinal_output

    @property
    def uses_seed(self) -> bool:
        """Whether ``training.seed`` has an effect on either part."""
        return self.stars.uses_seed or self.lists.uses_seed

    @property
    def uses_kl_weight(self) -> bool:
        """Whether ``training.kl_weight`` has an effect on the rating model."""
        return self.stars.uses_kl_weight

    def footprint(self) -> ModelFootprint | None:
        """Return the size of the rating model's network; None without one."""
        return self.stars.footprint()

    def sampling_bytes(self, n_ratings: int, n_users: int, n_items: int) -> int:
        """Estimate the peak memory of sampling the rating model."""
        return self.stars.sampling_bytes(n_ratings, n_users, n_items)

    def fit_bytes(self, n_ratings: int, n_users: int, n_items: int) -> int:
        """Return the memory of the larger of both fits, which follow each other."""
        return max(part.fit_bytes(n_ratings, n_users, n_items) for part in (self.stars, self.lists))

    def settings_of_memory(self) -> tuple[str, ...]:
        """Return the keys of both parts that lower the memory of a fit."""
        parts = {"stars": self.stars, "lists": self.lists}
        return tuple(f"{key}.{name}" for key, part in parts.items() for name in part.settings_of_memory())

    def settings_needing_timestamps(self) -> tuple[str, ...]:
        """Return the rating model's settings that have no effect without timestamps of ratings."""
        return self.stars.settings_needing_timestamps()

    def with_more_capacity(self, factor: float) -> dict[str, Any]:
        """Return the changes that make the rating model ``factor`` times as wide."""
        wider = self.stars.with_more_capacity(factor)
        return {"stars": wider} if wider else {}
