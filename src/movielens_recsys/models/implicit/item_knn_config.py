"""Hyper-parameters of item-kNN."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from movielens_recsys.models.config import Shrinkage
from movielens_recsys.models.implicit.config import ImplicitConfig


class ItemKNNConfig(ImplicitConfig):
    """Items are similar to those that the same users rated: cosine of their positives, shrunk.

    Attributes
    ----------
    neighbours
        Number of most similar items that each item is scored by.
    shrinkage
        Added to the cosine's denominator, so that few common users count for little.
    """

    name: Literal["item_knn"] = "item_knn"
    neighbours: Annotated[int, Field(ge=1, le=100_000)] = 100
    shrinkage: Shrinkage = 50.0

    @property
    def uses_seed(self) -> bool:
        """Whether ``training.seed`` has an effect: the fit is exact."""
        return False

    def fit_bytes(self, n_ratings: int, n_users: int, n_items: int) -> int:
        """Return the memory of each item's neighbours and similarities, in single precision."""
        return 8 * n_items * min(self.neighbours, n_items)

    def settings_of_memory(self) -> tuple[str, ...]:
        """Return the setting that memory is in proportion to."""
        return ("neighbours",)
