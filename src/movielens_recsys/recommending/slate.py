"""The top k items for one user, with titles: for a user of the training data or from a new user's history."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from movielens_recsys.arrays import I64, FloatArray, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.recommender import HistoryRanker, Recommender

FAVOURITES = 3


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One recommended item; ``predicted`` in stars, ``genres`` empty where the data set has none.

    ``item_id`` is the id in the data set: an integer or a text.
    """

    item_id: int | str
    title: str
    predicted: float
    genres: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slate:
    """The recommendations for one user, with a summary of the user's training ratings.

    ``favourites`` are the titles of the user's highest training ratings, the latest first among equals.
    """

    user_id: str
    n_ratings: int
    favourites: tuple[str, ...]
    recommendations: tuple[Recommendation, ...]


def recommend_slate(recommender: Recommender, train: Ratings, user: int, *, k: int = 10) -> Slate:
    """Return the ``k`` items with the highest scores that ``user`` (an index) has not rated in ``train``."""
    rows = np.flatnonzero(train.users == user)
    top = _best_unrated(recommender.score(np.array([user]))[0], train.items[rows], k)
    predicted = recommender.predict(np.full(len(top), user), top)
    timestamps = train.timestamps[rows] if train.timestamps is not None else np.arange(len(rows))
    liked = rows[np.lexsort((-timestamps, -train.ratings[rows]))][:FAVOURITES]
    return Slate(
        user_id=str(train.user_ids[user]),
        n_ratings=len(rows),
        favourites=tuple(train.titles(train.items[liked])),
        recommendations=_recommendations(train, top, predicted),
    )


def recommend_for_history(
    recommender: Recommender, ratings: Ratings, items: IntArray, stars: FloatArray, *, k: int = 10
) -> tuple[Recommendation, ...]:
    """Return the ``k`` best items for a new user who rated ``items`` with ``stars``, shape (n,) each.

    A `HistoryRanker` orders them by its scores, any other recommender by predicted ratings.
    """
    predicted = recommender.fold_in(items, stars)
    scores = recommender.score_history(items, stars) if isinstance(recommender, HistoryRanker) else predicted
    top = _best_unrated(scores, items, k)
    return _recommendations(ratings, top, predicted[top])


def _best_unrated(scores: FloatArray, rated: IntArray, k: int) -> I64:
    """Return the indices of the ``k`` items with the highest scores, best first, without ``rated``."""
    unrated = np.asarray(scores, np.float64).copy()
    unrated[rated] = -np.inf
    return np.argsort(-unrated, kind="stable")[: min(k, len(unrated) - len(np.unique(rated)))]


def _recommendations(ratings: Ratings, items: I64, predicted: FloatArray) -> tuple[Recommendation, ...]:
    return tuple(
        Recommendation(item_id, title, float(value), _genres(ratings, int(item)))
        for item, item_id, title, value in zip(
            items, ratings.item_ids[items].tolist(), ratings.titles(items), predicted, strict=True
        )
    )


def typical_user(train: Ratings) -> int:
    """Return the index of the user with the median number of training ratings, of users who have any."""
    counts = np.bincount(train.users, minlength=train.n_users)
    raters = np.flatnonzero(counts)
    return int(raters[np.argsort(counts[raters], kind="stable")[len(raters) // 2]])


def _genres(ratings: Ratings, item: int) -> tuple[str, ...]:
    if ratings.item_table is None or "genres" not in ratings.item_table.columns:
        return ()
    genres = ratings.item_table["genres"][item]
    return () if genres is None else tuple(genres)
