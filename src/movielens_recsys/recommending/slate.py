"""Ten films for one person, with titles: what all the figures are about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from movielens_recsys.arrays import I64, FloatArray, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.recommender import HistoryRanker, Recommender

FAVOURITES = 3


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One line of a list; ``predicted`` in stars, ``genres`` empty where the data set has none."""

    item_id: str
    title: str
    predicted: float
    genres: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slate:
    """A list for one user, and the training ratings that say who the user is.

    ``favourites`` are titles of their highest training ratings, the latest first among equals.
    """

    user_id: str
    n_ratings: int
    favourites: tuple[str, ...]
    recommendations: tuple[Recommendation, ...]


def recommend_slate(recommender: Recommender, train: Ratings, user: int, *, k: int = 10) -> Slate:
    """Return the ``k`` best-scored items that ``user`` (an index) has not rated in ``train``."""
    own = np.flatnonzero(train.users == user)
    top = _best(recommender.score(np.array([user]))[0], train.items[own], k)
    predicted = recommender.predict(np.full(len(top), user), top)
    moments = train.timestamps[own] if train.timestamps is not None else np.arange(len(own))
    liked = own[np.lexsort((-moments, -train.ratings[own]))][:FAVOURITES]
    return Slate(
        user_id=str(train.user_ids[user]),
        n_ratings=len(own),
        favourites=tuple(train.titles(train.items[liked])),
        recommendations=_recommendations(train, top, predicted),
    )


def recommend_for_history(
    recommender: Recommender, ratings: Ratings, items: IntArray, given: FloatArray, *, k: int = 10
) -> tuple[Recommendation, ...]:
    """Return the ``k`` best items for a new user who gave the ratings ``given`` to ``items``, shape (n,).

    A recommender that ranks for a history orders them; with any other, predicted ratings do.
    """
    predicted = recommender.fold_in(items, given)
    scores = recommender.score_history(items, given) if isinstance(recommender, HistoryRanker) else predicted
    top = _best(scores, items, k)
    return _recommendations(ratings, top, predicted[top])


def _best(scores: FloatArray, rated: IntArray, k: int) -> I64:
    """Return the indices of the ``k`` best-scored items, best first, without those in ``rated``."""
    unrated = np.asarray(scores, np.float64).copy()
    unrated[rated] = -np.inf
    return np.argsort(-unrated, kind="stable")[: min(k, len(unrated) - len(np.unique(rated)))]


def _recommendations(ratings: Ratings, items: I64, predicted: FloatArray) -> tuple[Recommendation, ...]:
    return tuple(
        Recommendation(str(ratings.item_ids[item]), title, float(value), _genres(ratings, int(item)))
        for item, title, value in zip(items, ratings.titles(items), predicted, strict=True)
    )


def typical_user(train: Ratings) -> int:
    """Return the user whose number of training ratings is the median of all who have one."""
    counts = np.bincount(train.users, minlength=train.n_users)
    raters = np.flatnonzero(counts)
    return int(raters[np.argsort(counts[raters], kind="stable")[len(raters) // 2]])


def _genres(ratings: Ratings, item: int) -> tuple[str, ...]:
    if ratings.item_table is None or "genres" not in ratings.item_table.columns:
        return ()
    genres = ratings.item_table["genres"][item]
    return () if genres is None else tuple(genres)
