"""Hyper-parameters of iALS."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from movielens_recsys.models.implicit.config import ImplicitConfig


class IALSConfig(ImplicitConfig):
    """iALS: factors fitted to the whole user x item matrix of positives, alternating exactly.

    Attributes
    ----------
    n_factors
        Factors of each user and item.
    unobserved_weight
        Weight of a pair without a positive, where a positive weighs 1.
    regularization
        Ridge penalty, multiplied for each user and item by their positives + unobserved_weight x the others.
    sweeps
        How often the factors of users and items are solved.
    """

    name: Literal["ials"] = "ials"
    n_factors: Annotated[int, Field(ge=1, le=4_096)] = 64
    unobserved_weight: Annotated[float, Field(gt=0, le=1)] = 0.3
    regularization: Annotated[float, Field(gt=0)] = 0.01
    sweeps: Annotated[int, Field(ge=1, le=1_000)] = 10

    def fit_bytes(self, n_ratings: int, n_users: int, n_items: int) -> int:
        """Return the memory of the factors of users and items, in single precision."""
        return 4 * self.n_factors * (n_users + n_items)

    def settings_of_memory(self) -> tuple[str, ...]:
        """Return the setting that memory is in proportion to."""
        return ("n_factors",)
