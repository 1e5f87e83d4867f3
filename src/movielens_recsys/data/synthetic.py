"""Synthetic ratings, distributed as MovieLens', with a known best possible RMSE: for tests of any size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr

from movielens_recsys.arrays import F64
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.errors import DataError
from movielens_recsys.seeds import generator

GENRES = (
    "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
FIRST_TIME = 788_918_400
"""1 January 1995, when the first users join; the last join 25 years later."""
YEAR_S = 31_557_600
MAX_DENSITY = 0.5
CHUNK = 2_000_000


@dataclass(frozen=True, eq=False)
class SyntheticRatings:
    """Generated ratings, and the predictions and RMSE of the best possible predictor.

    Attributes
    ----------
    ratings
        The table, in the order of user and item as ML-20M and later are.
    noise_floor_rmse
        RMSE, in stars, of the best possible predictor, E[rating | true score], averaged over the rows.
    ideal
        Predictions of that predictor for each row, in stars, shape (n,), float32.
    """

    ratings: Ratings
    noise_floor_rmse: float
    ideal: NDArray[np.float32]


def synthetic_ratings(
    n_users: int,
    n_items: int,
    n_ratings: int,
    *,
    seed: int,
    noise: float = 0.7,
    scale: Scale = Scale(1, 5, 1),  # noqa: B008 (frozen)
    n_factors: int = 8,
) -> SyntheticRatings:
    """Return a random rating table with popular items, active users, preferences, sessions and genres.

    A rating is ``score + noise * z`` rounded to the scale, with z standard normal and

        score(u, i) = mean + b_u + b_i + p_u . q_i

    where popular items have higher b_i and genres shape q_i. Items are drawn by popularity
    ~ (rank + 200)^-1.6, close to MovieLens' curve from ML-100K to ML-32M; no pair occurs twice.

    Parameters
    ----------
    n_ratings
        Exactly so many rows; at least one per user, at most half of all pairs.
    noise
        Standard deviation of the noise in stars of a five-star scale.
    n_factors
        Length of p_u and q_i.

    Raises
    ------
    DataError
        If so many ratings do not fit so many users and items.
    """
    if not n_users <= n_ratings <= MAX_DENSITY * n_users * n_items:
        raise DataError(
            f"{n_ratings} ratings do not fit {n_users} users and {n_items} items",
            expected=f"{n_users} to {int(MAX_DENSITY * n_users * n_items)}",
            next_step="change one of the three numbers",
        )
    popularity = _popularity(n_items, seed)
    users, items = _pairs(n_users, n_ratings, popularity, seed)
    genres = _genres(n_items, seed)
    preferences = _preferences(n_users, popularity, genres, n_factors, seed)
    observed, ideal, noise_floor = _rating_levels(users, items, preferences, scale, noise, seed)
    ratings = Ratings(
        name=f"synthetic-{seed}",
        users=users,
        items=items,
        ratings=observed,
        timestamps=_times(users, n_users, seed),
        user_ids=np.arange(1, n_users + 1),
        item_ids=np.arange(1, n_items + 1),
        scale=scale,
        item_table=_item_table(genres, seed),
        rows_read=n_ratings,
    )
    return SyntheticRatings(ratings, noise_floor, ideal)


def _popularity(n_items: int, seed: int) -> F64:
    head = min(200.0, n_items / 8)
    by_rank = (np.arange(n_items, dtype=np.float64) + head) ** -1.6
    return generator(seed, "synthetic popularity").permutation(by_rank)


def _pairs(
    n_users: int, n_ratings: int, popularity: F64, seed: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Distinct (user, item) pairs, ascending: users by their activity, items by popularity."""
    rng = generator(seed, "synthetic pairs")
    n_items = len(popularity)
    counts = _activity(n_users, n_items, n_ratings, rng)
    keys = np.empty(0, dtype=np.int64)
    wanted = np.repeat(np.arange(n_users), counts)
    while len(wanted):
        drawn = np.sort(wanted * n_items + _draw(popularity, len(wanted), rng))
        fresh = np.ones(len(drawn), dtype=bool)
        fresh[1:] = drawn[1:] != drawn[:-1]
        if len(keys):
            nearest = np.minimum(np.searchsorted(keys, drawn), len(keys) - 1)
            fresh &= keys[nearest] != drawn
        wanted = drawn[~fresh] // n_items
        keys = np.sort(np.concatenate([keys, drawn[fresh]]), kind="stable") if len(keys) else drawn[fresh]
        popularity = np.sqrt(popularity)
    users = (keys // n_items).astype(np.int32)
    keys %= n_items
    return users, keys.astype(np.int32)


def _draw(weights: F64, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    edges = np.cumsum(weights)
    return np.searchsorted(edges[:-1] / edges[-1], rng.random(n), side="right")


def _activity(n_users: int, n_items: int, n_ratings: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Ratings per user: log-normal as in MovieLens, at least one, at most 80 % of the items, exact sum."""
    activity = rng.lognormal(sigma=1.2, size=n_users)
    most = max(1, int(0.8 * n_items))
    counts: NDArray[np.int64] = np.clip(activity * (n_ratings / activity.sum()), 1, most).astype(np.int64)
    while (missing := n_ratings - int(counts.sum())) != 0:
        open_users = np.flatnonzero(counts < most if missing > 0 else counts > 1)
        changed = rng.permutation(open_users)[: abs(missing)]
        counts[changed] += np.sign(missing)
    return counts


@dataclass(frozen=True, eq=False)
class _Preferences:
    """True biases and factors, in stars of a five-star scale around its middle."""

    user_bias: NDArray[np.float32]
    item_bias: NDArray[np.float32]
    user_factors: NDArray[np.float32]
    item_factors: NDArray[np.float32]

    def scores(self, users: NDArray[np.int32], items: NDArray[np.int32]) -> F64:
        """True scores of n pairs relative to the scale's middle, shape (n,)."""
        interaction = np.einsum("nf,nf->n", self.user_factors[users], self.item_factors[items])
        scores: F64 = (0.5 + self.user_bias[users] + self.item_bias[items] + interaction).astype(np.float64)
        return scores


def _preferences(
    n_users: int, popularity: F64, genres: NDArray[np.bool_], n_factors: int, seed: int
) -> _Preferences:
    rng = generator(seed, "synthetic tastes")
    n_items = len(popularity)
    logs = np.log(popularity)
    logs = (logs - np.average(logs, weights=popularity)) / max(float(logs.std()), 1e-9)
    per_genre = rng.standard_normal((len(GENRES), n_factors))
    by_genre = genres @ per_genre / np.sqrt(genres.sum(axis=1, keepdims=True))
    factor_scale = np.sqrt(0.5 / np.sqrt(n_factors))
    return _Preferences(
        user_bias=(0.42 * rng.standard_normal(n_users)).astype(np.float32),
        item_bias=(0.2 * logs + 0.45 * rng.standard_normal(n_items)).astype(np.float32),
        user_factors=(factor_scale * rng.standard_normal((n_users, n_factors))).astype(np.float32),
        item_factors=(
            factor_scale * np.sqrt(0.5) * (by_genre + rng.standard_normal((n_items, n_factors)))
        ).astype(np.float32),
    )


def _rating_levels(
    users: NDArray[np.int32],
    items: NDArray[np.int32],
    preferences: _Preferences,
    scale: Scale,
    noise: float,
    seed: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Observed ratings, E[rating | score] of the same rows, and the expected RMSE of the latter."""
    rng = generator(seed, "synthetic noise")
    per_star = scale.span / 4
    middle = (scale.minimum + scale.maximum) / 2
    grid = np.linspace(scale.minimum - scale.span, scale.maximum + scale.span, 4001)
    means, variances = _rating_mean_and_variance(grid, scale, noise * per_star)
    observed, ideal = (np.empty(len(users), dtype=np.float32) for _ in range(2))
    squared_error = 0.0
    for start in range(0, len(users), CHUNK):
        rows = slice(start, start + CHUNK)
        scores = middle + per_star * preferences.scores(users[rows], items[rows])
        squared_error += float(np.interp(scores, grid, variances).sum())
        ideal[rows] = np.interp(scores, grid, means)
        scores += noise * per_star * rng.standard_normal(len(scores))
        observed[rows] = scale.minimum + scale.step_width * scale.level_of(scores)
    return observed, ideal, float(np.sqrt(squared_error / len(users)))


def _rating_mean_and_variance(scores: F64, scale: Scale, noise: float) -> tuple[F64, F64]:
    """Mean and variance of the rounded, noisy rating given each true score, shape (len(scores),) each."""
    levels = scale.levels.astype(np.float64)
    if noise == 0:
        return levels[scale.level_of(scores)], np.zeros(len(scores))
    below = ndtr((levels[:-1] + scale.step_width / 2 - scores[:, None]) / noise)
    probability = np.diff(below, axis=1, prepend=0.0, append=1.0)
    means: F64 = probability @ levels
    return means, np.maximum(probability @ levels**2 - means**2, 0.0)


def _times(users: NDArray[np.int32], n_users: int, seed: int) -> NDArray[np.int64]:
    """Seconds since 1970: each user joins, then rates in half-hour sessions over at most three years."""
    rng = generator(seed, "synthetic times")
    joined = FIRST_TIME + rng.integers(0, 25 * YEAR_S, n_users)
    n_sessions = 1 + np.bincount(users, minlength=n_users) // 15
    gap = np.minimum(rng.lognormal(np.log(10 * 86_400), 1.0, n_users), 3 * YEAR_S / n_sessions)
    session = (rng.random(len(users), dtype=np.float32) ** 2 * n_sessions[users]).astype(np.int64)
    times = joined[users] + (session * gap[users]).astype(np.int64)
    times += rng.integers(0, 1800, len(users))
    return times


def _genres(n_items: int, seed: int) -> NDArray[np.bool_]:
    """One to three genres for each item, shape (n_items, len(GENRES))."""
    rng = generator(seed, "synthetic genres")
    n_genres = rng.choice([1, 2, 3], size=(n_items, 1), p=[0.45, 0.35, 0.2])
    order = rng.random((n_items, len(GENRES))).argsort(axis=1).argsort(axis=1)
    return order < n_genres


def _item_table(genres: NDArray[np.bool_], seed: int) -> pl.DataFrame:
    ids = np.arange(1, len(genres) + 1)
    years = generator(seed, "synthetic years").integers(1930, 2020, len(ids))
    return pl.DataFrame(
        {
            "item_id": ids,
            "title": [f"Film {number} ({year})" for number, year in zip(ids, years, strict=True)],
            "genres": [
                [name for name, has in zip(GENRES, row, strict=True) if has] for row in genres.tolist()
            ],
            "year": years,
        }
    )
