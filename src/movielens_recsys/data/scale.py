"""`Scale`: the legal ratings, as evenly spaced levels or as any number between two bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F64, I64, FloatArray
from movielens_recsys.errors import DataError

MAX_LEVELS = 101
"""Levels that ordinal models take as they are, such as 0 to 100; a finer scale is cut into `ORDINAL_BINS`."""
ORDINAL_BINS = 20
"""Few, as each needs ratings; a twentieth of the width is small beside the error of any model."""
MAX_STATED_LEVELS = 10_000
"""Levels that a scale may have: float32 tells no more apart."""
_TOLERANCE = 1e-3
"""Share of a step that a rating may be off its level; float32 loses as much at `MAX_STATED_LEVELS`."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The legal ratings from ``minimum`` to ``maximum``: in steps of ``step``, or all of them if it is None.

    >>> str(Scale(1, 5, 1)), str(Scale(-10, 10))
    ('1 to 5 in steps of 1', '-10 to 10 without steps')
    """

    minimum: float
    maximum: float
    step: float | None = None

    def __str__(self) -> str:
        steps = "without steps" if self.step is None else f"in steps of {self.step:g}"
        return f"{self.minimum:g} to {self.maximum:g} {steps}"

    @property
    def continuous(self) -> bool:
        """Whether every number between the bounds is a legal rating."""
        return self.step is None

    @property
    def span(self) -> float:
        """Distance from the lowest to the highest rating."""
        return self.maximum - self.minimum

    @property
    def star(self) -> float:
        """The width of one star: 1 on a scale 4 to 5 wide, a quarter of the width of any other.

        Networks work in stars, because their hyper-parameters were tuned on 1 to 5 and 0.5 to 5.

        >>> Scale(0.5, 5, 0.5).star, Scale(1, 10, 1).star, Scale(0, 100, 1).star
        (1.0, 2.25, 25.0)
        """
        return 1.0 if 4 <= self.span <= 5 else self.span / 4

    def in_stars(self) -> Scale:
        """Return the scale with every rating divided by `star`."""
        step = None if self.step is None else self.step / self.star
        return Scale(self.minimum / self.star, self.maximum / self.star, step)

    @property
    def n_levels(self) -> int:
        """Number of legal ratings.

        Raises
        ------
        DataError
            The scale is continuous.
        """
        return round(self.span / self.step_width) + 1

    @property
    def levels(self) -> NDArray[np.float32]:
        """All legal ratings, ascending, shape (n_levels,).

        Raises
        ------
        DataError
            The scale is continuous.
        """
        return (self.minimum + self.step_width * np.arange(self.n_levels)).astype(np.float32)

    def level_of(self, ratings: FloatArray) -> I64:
        """Return the number of the level nearest to each rating, counted from 0.

        >>> Scale(0.5, 5, 0.5).level_of(np.array([0.5, 2.6, 7.0])).tolist()
        [0, 4, 9]

        Raises
        ------
        DataError
            The scale is continuous.
        """
        steps = np.rint((ratings - self.minimum) / self.step_width)
        level: I64 = np.clip(steps, 0, self.n_levels - 1).astype(np.int64)
        return level

    def is_off_step(self, ratings: F64) -> NDArray[np.bool_]:
        """Return which ratings are between two levels; none on a continuous scale."""
        if self.step is None:
            return np.zeros(np.shape(ratings), bool)
        steps = (ratings - self.minimum) / self.step
        off: NDArray[np.bool_] = np.abs(steps - np.rint(steps)) > _TOLERANCE
        return off

    @property
    def ordinal(self) -> Scale:
        """The levels of ordinal models: its own, or `ORDINAL_BINS` bins if they are too many or none."""
        has_levels = self.step is not None and self.n_levels <= MAX_LEVELS
        return self if has_levels else self.discretized(ORDINAL_BINS)

    def discretized(self, max_levels: int) -> Scale:
        """Return this scale if it has at most ``max_levels`` levels, else that of ``max_levels`` equal bins.

        A bin's level is its middle, and `level_of` gives the bin of each rating of this scale.

        >>> str(Scale(1, 5, 1).discretized(10)), str(Scale(-10, 10).discretized(10))
        ('1 to 5 in steps of 1', '-9 to 9 in steps of 2')
        """
        if self.step is not None and self.n_levels <= max_levels:
            return self
        width = self.span / max_levels
        return Scale(self.minimum + width / 2, self.maximum - width / 2, width)

    def at_share(self, share: float) -> float:
        """Return the lowest legal rating at or above ``minimum + share x span``.

        >>> [scale.at_share(0.75) for scale in (Scale(0.5, 5, 0.5), Scale(1, 10, 1), Scale(-10, 10))]
        [4.0, 8.0, 5.0]
        """
        if self.step is None:
            return float(self.minimum + share * self.span)
        return float(self.minimum + self.step * math.ceil(share * self.span / self.step - 1e-9))

    @property
    def step_width(self) -> float:
        """The distance between two levels.

        Raises
        ------
        DataError
            The scale is continuous.
        """
        if self.step is None:
            raise DataError(
                f"the scale {self} has no levels",
                expected="a scale with steps",
                next_step="state one, such as --scale 1:5:1, or choose a model that needs no levels",
            )
        return self.step
