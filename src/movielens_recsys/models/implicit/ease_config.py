"""Hyper-parameters of EASE."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from movielens_recsys.models.implicit.config import ImplicitConfig


class EASEConfig(ImplicitConfig):
    """EASE: a linear map from a history to scores of the catalogue, solved in closed form.

    Attributes
    ----------
    regularization
        Ridge penalty; between a tenth and a third of the mean number of positives of an item is a start.
    user_damping
        A user with n positives counts n^-user_damping; 0: heavy raters count more, 1: all users count alike.
    max_items
        Only so many of the most rated items take part; memory is 16 bytes x max_items^2.
    """

    name: Literal["ease"] = "ease"
    regularization: Annotated[float, Field(gt=0)] = 500.0
    user_damping: Annotated[float, Field(ge=0, le=1)] = 0.5
    max_items: Annotated[int, Field(ge=1, le=100_000)] = 15_000

    @property
    def uses_seed(self) -> bool:
        """Whether ``training.seed`` has an effect: the fit is exact."""
        return False

    def fit_bytes(self, n_ratings: int, n_users: int, n_items: int) -> int:
        """Return the memory of two dense matrices of items in double precision."""
        return 16 * min(self.max_items, n_items) ** 2

    def settings_of_memory(self) -> tuple[str, ...]:
        """Return the setting that bounds the matrices."""
        return ("max_items",)
