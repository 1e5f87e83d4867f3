"""Inference of the rating scale from the ratings."""

from __future__ import annotations

import numpy as np
import polars as pl

from movielens_recsys.data.ratings import Scale
from movielens_recsys.errors import ReadError

MAX_LEVELS = 100


def infer_scale(ratings: pl.Series, source: str = "") -> Scale:
    """Return the scale from the lowest to the highest of finite ``ratings``, in the coarsest step that fits.

    Steps of 1 are tried first, then of 0.5, then the smallest distance between two ratings.
    Unused levels at either end cannot be inferred: state the scale where it is known.

    Raises
    ------
    ReadError
        If all ratings are equal, have no common step, or need more than 100 levels.
    """
    values = ratings.unique().sort().to_numpy()
    lowest, highest = float(values[0]), float(values[-1])
    if len(values) < 2:
        raise _refusal(f"every rating is {lowest:g}", source)
    if _whole(values):
        step = 1.0
    elif _whole(2 * values):
        step = 0.5
    else:
        step = float(np.diff(values).min())
    if not _whole((values - lowest) / step) or (highest - lowest) / step >= MAX_LEVELS:
        raise _refusal(f"{len(values)} different ratings from {lowest:g} to {highest:g}", source)
    return Scale(lowest, highest, step)


def _whole(values: np.ndarray) -> bool:
    return bool(np.abs(values - values.round()).max() <= 1e-6)


def _refusal(found: str, source: str) -> ReadError:
    return ReadError(
        f"{source}: {found}" if source else found,
        expected=f"a scale of 2 to {MAX_LEVELS} evenly spaced ratings",
        next_step="state the scale, e.g. --scale 1:5:1 (lowest, highest, step)",
    )
