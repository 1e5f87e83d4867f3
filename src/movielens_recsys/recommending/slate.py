"""The top k items for one user, with titles: for a user of the training data or from a new user's history."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from movielens_recsys.arrays import FloatArray, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.recommender import Recommender
from movielens_recsys.recommending.ranking import RankedItems, rank_for_history, rank_for_users

FAVOURITES = 3


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One recommended item; ``genres`` is empty where the data set has none.

    Items are ordered by ``score``, which is comparable between the items of one user only. ``predicted`` is
    the predicted rating; with a model for rankings it need not fall from item to item. ``item_id`` is the id
    in the data set: an integer or a text.
    """

    item_id: int | str
    title: str
    score: float
    predicted: float
    genres: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slate:
    """The recommendations for one user, with a summary of the user's ratings.

    ``favourites`` are the titles of the user's highest ratings, the latest first among equals.
    """

    user_id: str
    n_ratings: int
    favourites: tuple[str, ...]
    recommendations: tuple[Recommendation, ...]


def recommend_slate(recommender: Recommender, ratings: Ratings, user: int, *, k: int = 10) -> Slate:
    """Return the ``k`` items with the highest scores that ``user`` (an index) has not rated."""
    rows = np.flatnonzero(ratings.users == user)
    ranked = rank_for_users(recommender, np.array([user]), {user: ratings.items[rows]}, k)
    return Slate(
        user_id=str(ratings.user_ids[user]),
        n_ratings=len(rows),
        favourites=favourite_titles(ratings, user),
        recommendations=with_titles(ranked, ratings),
    )


def recommend_for_history(
    recommender: Recommender, ratings: Ratings, items: IntArray, stars: FloatArray, *, k: int = 10
) -> tuple[Recommendation, ...]:
    """Return the ``k`` best items for a new user who rated ``items`` with ``stars``, shape (n,) each."""
    return with_titles(rank_for_history(recommender, items, stars, k), ratings)


def with_titles(ranked: RankedItems, ratings: Ratings) -> tuple[Recommendation, ...]:
    """Return the ranked items with what ``ratings`` knows of them."""
    return tuple(
        Recommendation(item_id, title, float(score), float(predicted), genres_of(ratings, int(item)))
        for item, item_id, title, score, predicted in zip(
            ranked.items,
            ratings.item_ids[ranked.items].tolist(),
            ratings.titles(ranked.items),
            ranked.scores,
            ranked.predicted,
            strict=True,
        )
    )


def favourite_titles(ratings: Ratings, user: int) -> tuple[str, ...]:
    """Return the titles of the user's `FAVOURITES` highest ratings, the latest first among equals."""
    rows = np.flatnonzero(ratings.users == user)
    timestamps = ratings.timestamps[rows] if ratings.timestamps is not None else np.arange(len(rows))
    liked = rows[np.lexsort((-timestamps, -ratings.ratings[rows]))][:FAVOURITES]
    return tuple(ratings.titles(ratings.items[liked]))


def typical_user(train: Ratings) -> int:
    """Return the index of the user with the median number of training ratings, of users who have any."""
    counts = np.bincount(train.users, minlength=train.n_users)
    raters = np.flatnonzero(counts)
    return int(raters[np.argsort(counts[raters], kind="stable")[len(raters) // 2]])


def genres_of(ratings: Ratings, item: int) -> tuple[str, ...]:
    """Return the genres of an item, none where the data set has none."""
    if ratings.item_table is None or "genres" not in ratings.item_table.columns:
        return ()
    genres = ratings.item_table["genres"][item]
    return () if genres is None else tuple(genres)
