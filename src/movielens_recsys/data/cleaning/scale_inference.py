"""Inference of the rating scale from the ratings."""

from __future__ import annotations

import numpy as np
import polars as pl

from movielens_recsys.data.scale import MAX_LEVELS, Scale
from movielens_recsys.errors import ReadError
from movielens_recsys.schema import Finding, Severity

_RARE = 0.02
"""Share of the ratings up to which an end is that of a code or a slip: -3 once among 78 ratings of 1 to 5."""
_FEWEST_VALUES = 4
"""With fewer different ratings, the distances between them say nothing."""


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


def distant_end(ratings: pl.Series, scale: Scale) -> Finding | None:
    """Return a warning where few ratings, at one end and far from all others, make an inferred scale wide.

    Such a rating is often a code, as -1 for "no rating", or a slip. On a continuous scale, the bounds are
    asked for anyway.
    """
    values, counts = np.unique(ratings.to_numpy(), return_counts=True)
    if scale.continuous or len(values) < _FEWEST_VALUES:
        return None
    gaps = np.diff(values)
    for end, others in ((0, slice(1, None)), (-1, slice(None, -1))):
        near, far = values[others][end], values[end]
        if counts[end] > _RARE * len(ratings) or gaps[end] < 2 * gaps[others].max() - 1e-6:
            continue
        kept = values[others]
        advice = (
            f"the scale {scale} was inferred from the ratings, but {far:g} stands in {counts[end]} of "
            f"{len(ratings)} rows, and nothing between it and {near:g}; if it is no rating, leave it out "
            f"with --scale {kept[0]:g}:{kept[-1]:g}:{scale.step:g} --on-bad-rows reject"
        )
        return Finding("scale_inferred", float(scale.n_levels), None, Severity.WARNING, advice)
    return None


def suspicious_ratings(ratings: pl.Series, scale: Scale) -> list[Finding]:
    """Return warnings where all ratings are equal, or more than half are the lowest of several levels.

    The lowest rating of 0 often stands for "not rated", as in Book-Crossing. Of likes, with two levels, most
    are 0 by their nature.
    """
    if ratings.n_unique() == 1:
        advice = (
            f"every rating is {ratings[0]:g}: there is nothing to predict; if a row only says that something "
            "happened, import it with --implicit"
        )
        return [Finding("ratings_all_equal", 1.0, 0.0, Severity.WARNING, advice)]
    share = int((ratings == scale.minimum).sum()) / len(ratings)
    if share <= 0.5 or (not scale.continuous and scale.n_levels == 2):
        return []
    lowest = f"{scale.minimum:g}"
    advice = (
        f"{share:.0%} of the ratings are {lowest}, the lowest; if it stands for: not rated, leave these rows "
        f"out with --unrated {lowest}"
    )
    return [Finding("ratings_mostly_lowest", share, 0.5, Severity.WARNING, advice)]


def _whole(values: np.ndarray) -> bool:
    return bool(np.abs(values - values.round()).max() <= 1e-6)
