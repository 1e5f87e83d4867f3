"""`Aggregates`: named sums over users; one formula gives a metric of one user, of all or of resamples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F64


@dataclass(frozen=True, eq=False)
class Aggregates:
    """Named columns over any leading axes: one row per user, per resample, or none for a total.

    A metric is a function of columns, e.g. RMSE = sqrt(squared / count). From one user's row it gives that
    user's value, from the total the value over all users, from resamples the bootstrap distribution.

    Attributes
    ----------
    names
        Names of the columns.
    values
        float64, shape (..., len(names)).
    """

    names: tuple[str, ...]
    values: F64

    @classmethod
    def of(cls, columns: Mapping[str, NDArray[np.generic]]) -> Aggregates:
        """Stack columns of equal length, shape (n,) each."""
        return cls(
            tuple(columns), np.column_stack([column.astype(np.float64) for column in columns.values()])
        )

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.names)}

    def __getitem__(self, name: str) -> F64:
        return np.asarray(self.values[..., self._positions[name]])

    def __contains__(self, name: str) -> bool:
        return name in self._positions

    def total(self) -> Aggregates:
        """Return the sum over all users."""
        return Aggregates(self.names, self.values.sum(axis=0))

    def weighted(self, weights: F64) -> Aggregates:
        """Return weighted sums over users; ``weights`` of shape (samples, users) gives one row per sample."""
        return Aggregates(self.names, weights @ self.values)

    def beside(self, other: Aggregates) -> Aggregates:
        """Return the columns of both, which must be over the same rows."""
        return Aggregates(self.names + other.names, np.concatenate([self.values, other.values], axis=-1))


def divide(numerator: F64, denominator: F64) -> F64:
    """Return the quotient, NaN where nothing was counted."""
    quotient: F64 = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient
