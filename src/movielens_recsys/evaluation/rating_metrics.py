"""Rating metrics: RMSE, MAE, R² and calibration of predicted against held-out ratings.

Every metric is a function of `Aggregates` made by `rating_aggregates`, so that the same
formula gives it for one user, for all users, and for resamples of users.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from movielens_recsys.arrays import F64
from movielens_recsys.data.scale import Scale
from movielens_recsys.evaluation.aggregates import Aggregates, divide

N_BINS = 20
FIVE_STAR_LEVELS = Scale(1.0, 5.0, 1.0)


def rating_aggregates(
    users: ArrayLike,
    actual: ArrayLike,
    predicted: ArrayLike,
    scale: Scale = FIVE_STAR_LEVELS,
    n_users: int = 0,
) -> Aggregates:
    """Sum up each user's errors, as the columns that every rating metric is a function of.

    Parameters
    ----------
    users
        Position of each rating's user among the evaluated users, shape (n,), from 0.
    actual, predicted
        Ratings, shape (n,).
    scale
        Its range is cut into `N_BINS` bins of equal width for calibration.
    n_users
        Number of evaluated users; 0 takes the highest position + 1.

    Returns
    -------
    Aggregates
        Shape (n_users, 7 + N_BINS).
    """
    positions = np.asarray(users, dtype=np.int64)
    truth, guess = np.asarray(actual, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    n = n_users or int(positions.max()) + 1
    error = guess - truth

    def per_user(values: F64 | None = None) -> F64:
        return np.bincount(positions, values, minlength=n).astype(np.float64)

    count, squared = per_user(), per_user(error**2)
    columns = {
        "count": count,
        "squared": squared,
        "absolute": per_user(np.abs(error)),
        "actual": per_user(truth),
        "actual_squared": per_user(truth**2),
        "own_rmse": np.sqrt(squared / np.maximum(count, 1)),
        "raters": (count > 0).astype(np.float64),
    }
    user_bin = positions * N_BINS + bin_of(guess, scale)
    residuals = np.bincount(user_bin, error, minlength=n * N_BINS).astype(np.float64).reshape(n, N_BINS)
    return Aggregates.of(columns).beside(Aggregates(_RESIDUALS, residuals))


def root_mean_squared_error(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Return sqrt(mean (predicted - actual)^2) of pairs, in ratings, where only this number is needed.

    >>> round(root_mean_squared_error([3, 2, 3], [4, 2, 5]), 4)
    1.291
    """
    error = np.asarray(predicted, dtype=np.float64) - np.asarray(actual, dtype=np.float64)
    return float(np.sqrt(np.mean(error**2)))


def rmse(aggregates: Aggregates) -> F64:
    """Return sqrt(sum (predicted - actual)^2 / n), in ratings: large errors weigh most.

    >>> round(float(rmse(rating_aggregates([0, 0, 1], [4, 2, 5], [3, 2, 3]).total())), 4)
    1.291
    """
    return np.sqrt(divide(aggregates["squared"], aggregates["count"]))


def mae(aggregates: Aggregates) -> F64:
    """Return sum |predicted - actual| / n, in ratings.

    >>> float(mae(rating_aggregates([0, 0, 1], [4, 2, 5], [3, 2, 3]).total()))
    1.0
    """
    return divide(aggregates["absolute"], aggregates["count"])


def user_rmse(aggregates: Aggregates) -> F64:
    """Return the mean over users of each user's RMSE, in ratings: every user has the same weight.

    Here user 0 has sqrt((1 + 0) / 2) = 0.7071 and user 1 has 2:

    >>> round(float(user_rmse(rating_aggregates([0, 0, 1], [4, 2, 5], [3, 2, 3]).total())), 4)
    1.3536
    """
    return divide(aggregates["own_rmse"], aggregates["raters"])


def r2(aggregates: Aggregates) -> F64:
    """Return 1 - sum (predicted - actual)^2 / sum (actual - mean actual)^2.

    1 is perfect; the mean of the held-out ratings as a constant prediction has 0. Where all actual
    ratings are equal it is 1 for no error, else 0 (scikit-learn's rule).

    >>> round(float(r2(rating_aggregates([0, 0, 1], [4, 2, 5], [3, 2, 3]).total())), 4)
    -0.0714
    """
    deviation = aggregates["actual_squared"] - divide(aggregates["actual"] ** 2, aggregates["count"])
    flat = deviation <= 1e-9 * aggregates["actual_squared"]
    perfect = np.where(aggregates["squared"] > 0, 0.0, 1.0)
    return np.where(flat, perfect, 1 - divide(aggregates["squared"], np.where(flat, 0.0, deviation)))


def calibration_error(aggregates: Aggregates) -> F64:
    """Return the expected calibration error: sum over bins of |sum of (predicted - actual)| / n, in ratings.

    The bins are `N_BINS` of equal width over the scale, by predicted rating (Naeini, Cooper and
    Hauskrecht 2015, with ratings in place of probabilities). Errors of opposite sign within a bin cancel: two
    predictions of 3 for ratings of 2 and 4 are perfectly calibrated.

    >>> round(float(calibration_error(rating_aggregates([0, 0, 1], [2, 4, 5], [3, 3, 4.4]).total())), 4)
    0.2
    """
    gaps = np.sum([np.abs(aggregates[name]) for name in _RESIDUALS], axis=0)
    return divide(gaps, aggregates["count"])


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Predictions from ``low`` to below ``high``: count, mean, and mean actual rating."""

    low: float
    high: float
    count: int
    predicted: float
    actual: float


def calibration(
    actual: ArrayLike, predicted: ArrayLike, scale: Scale = FIVE_STAR_LEVELS
) -> tuple[CalibrationBin, ...]:
    """Return the bins that contain predictions, ascending.

    >>> [(b.count, b.predicted, b.actual) for b in calibration([2, 4, 5], [3, 3, 4.5])]
    [(2, 3.0, 3.0), (1, 4.5, 5.0)]
    """
    truth, guess = np.asarray(actual, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    bins = bin_of(guess, scale)
    count = np.bincount(bins, minlength=N_BINS)
    bin_sums = [np.bincount(bins, values, minlength=N_BINS) for values in (guess, truth)]
    edges = np.round(np.linspace(scale.minimum, scale.maximum, N_BINS + 1), 9)
    return tuple(
        CalibrationBin(
            low=float(edges[b]),
            high=float(edges[b + 1]),
            count=int(count[b]),
            predicted=float(bin_sums[0][b] / count[b]),
            actual=float(bin_sums[1][b] / count[b]),
        )
        for b in np.flatnonzero(count)
    )


@dataclass(frozen=True, slots=True)
class RatingCount:
    """The number of held-out ratings equal to ``stars``, and of predictions that round to it.

    On a scale of more than `N_BINS` levels ``stars`` is the middle of a bin.
    """

    stars: float
    actual: int
    predicted: int


def rating_counts(
    actual: ArrayLike, predicted: ArrayLike, scale: Scale = FIVE_STAR_LEVELS
) -> tuple[RatingCount, ...]:
    """Count ratings and predictions by the nearest level of the scale, or by `N_BINS` bins of a finer one.

    >>> [(c.stars, c.actual, c.predicted) for c in rating_counts([1, 5, 5], [2.6, 4.4, 4.6])][2:]
    [(3.0, 0, 1), (4.0, 0, 1), (5.0, 2, 1)]
    """
    bins = scale.discretized(N_BINS)

    def counts(values: ArrayLike) -> list[int]:
        level = bins.level_of(np.asarray(values, dtype=np.float64))
        return [int(n) for n in np.bincount(level, minlength=bins.n_levels)]

    return tuple(
        RatingCount(float(stars), n_actual, n_predicted)
        for stars, n_actual, n_predicted in zip(bins.levels, counts(actual), counts(predicted), strict=True)
    )


def bin_of(predicted: F64, scale: Scale) -> NDArray[np.int64]:
    """Return the calibration bin of each prediction; those outside the scale go to the outer bins."""
    position = np.floor(np.round((predicted - scale.minimum) / scale.span * N_BINS, 9))
    return np.clip(position, 0, N_BINS - 1).astype(np.int64)


_RESIDUALS = tuple(f"residual_{number:02d}" for number in range(N_BINS))
