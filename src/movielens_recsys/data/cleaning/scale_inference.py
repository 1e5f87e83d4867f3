"""Inference of the rating scale from the ratings."""

from __future__ import annotations

import numpy as np
import polars as pl

from movielens_recsys.data.scale import MAX_LEVELS, Scale
from movielens_recsys.errors import ReadError


def infer_scale(ratings: pl.Series, source: str = "") -> Scale:
    """Return the scale from the lowest to the highest of finite ``ratings``, in the coarsest step that fits.

    Steps of 1 are tried first, then of 0.5, then the smallest distance between two ratings. Where no
    step gives `MAX_LEVELS` levels or fewer, the scale is continuous. Unused levels at either end cannot be
    inferred: state the scale where it is known.

    Raises
    ------
    ReadError
        If all ratings are equal.
    """
    values = ratings.unique().sort().to_numpy()
    lowest, highest = float(values[0]), float(values[-1])
    if len(values) < 2:
        raise ReadError(
            f"{source}: every rating is {lowest:g}" if source else f"every rating is {lowest:g}",
            expected="at least two different ratings, to tell the scale from",
            next_step="import them as interactions: --implicit; or state the scale, e.g. --scale 1:5:1",
        )
    if _whole(values):
        step = 1.0
    elif _whole(2 * values):
        step = 0.5
    else:
        step = float(np.diff(values).min())
    has_steps = _whole((values - lowest) / step) and (highest - lowest) / step < MAX_LEVELS
    return Scale(lowest, highest, step if has_steps else None)


def _whole(values: np.ndarray) -> bool:
    return bool(np.abs(values - values.round()).max() <= 1e-6)
