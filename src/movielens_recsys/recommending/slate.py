"""Ten films for one person, with titles: what all the figures are about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.recommender import Recommender

FAVOURITES = 3


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One line of a list; ``predicted`` in stars, ``genres`` empty where the data set has none."""

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
    scores = recommender.score(np.array([user]))[0].astype(np.float64)
    scores[train.items[own]] = -np.inf
    top = np.argsort(-scores, kind="stable")[: min(k, train.n_items - len(np.unique(train.items[own])))]
    predicted = recommender.predict(np.full(len(top), user), top)
    moments = train.timestamps[own] if train.timestamps is not None else np.arange(len(own))
    liked = own[np.lexsort((-moments, -train.ratings[own]))][:FAVOURITES]
    return Slate(
        user_id=str(train.user_ids[user]),
        n_ratings=len(own),
        favourites=tuple(train.titles(train.items[liked])),
        recommendations=tuple(
            Recommendation(title, float(stars), _genres(train, int(item)))
            for title, stars, item in zip(train.titles(top), predicted, top, strict=True)
        ),
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
