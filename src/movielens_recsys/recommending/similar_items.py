"""Items that are alike, by what a model has learned or by who rated both; an item by a part of its title."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from movielens_recsys.arrays import F64, FloatArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.errors import DataError, UsageError, nearest, shorten
from movielens_recsys.recommender import UNKNOWN, Recommender, SimilarityRecommender
from movielens_recsys.recommending.ids import look_up_ids, spelling_hint
from movielens_recsys.recommending.ranking import top_unrated
from movielens_recsys.recommending.slate import genres_of

SHOWN = 8
CO_RATING = "share of users who rated both items (cosine of who rated them)"


@dataclass(frozen=True, slots=True)
class SimilarItem:
    """One item that is like another; a higher ``similarity`` is more alike, and all are above 0."""

    item_id: int | str
    title: str
    similarity: float
    genres: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SimilarItems:
    """The items that are most like one item, the likest first; ``meaning`` says what similarity is."""

    item_id: int | str
    title: str
    meaning: str
    items: tuple[SimilarItem, ...]


def similar_items(recommender: Recommender, ratings: Ratings, item: int, k: int = 10) -> SimilarItems:
    """Return the ``k`` items most like ``item`` (an index); fewer if fewer have a similarity above 0.

    A model that has learned no similarity leaves it to the users who rated both items in ``ratings``.

    Raises
    ------
    DataError
        Nothing is known of the item.
    """
    meaning, similarities = _similarities(recommender, ratings, item)
    best = [int(other) for other in top_unrated(similarities, np.array([item]), k) if similarities[other] > 0]
    item_id, title = ratings.item_ids[[item]].tolist()[0], ratings.titles(np.array([item]))[0]
    if not best:
        raise DataError(
            f"nothing is like item {item_id}: the model has learned nothing of it",
            expected="an item with training ratings",
            next_step="name another item",
        )
    found = tuple(
        SimilarItem(other_id, other_title, float(similarities[other]), genres_of(ratings, other))
        for other, other_id, other_title in zip(
            best, ratings.item_ids[best].tolist(), ratings.titles(np.array(best)), strict=True
        )
    )
    return SimilarItems(item_id, title, meaning, found)


def _similarities(recommender: Recommender, ratings: Ratings, item: int) -> tuple[str, FloatArray]:
    if isinstance(recommender, SimilarityRecommender):
        return recommender.similarity_meaning, recommender.item_similarities(item)
    return CO_RATING, _co_rating(ratings, item)


def _co_rating(ratings: Ratings, item: int) -> F64:
    """Return n_ij / sqrt(n_i n_j), n_ij the users who rated both, shape (n_items,); 0 without ratings."""
    rated_it = np.zeros(ratings.n_users, bool)
    rated_it[ratings.users[ratings.items == item]] = True
    common = np.bincount(ratings.items[rated_it[ratings.users]], minlength=ratings.n_items)
    counts = np.bincount(ratings.items, minlength=ratings.n_items)
    norms = np.sqrt(counts * float(counts[item]))
    cosines: F64 = np.divide(common, norms, out=np.zeros(ratings.n_items), where=norms > 0)
    return cosines


def find_item(ratings: Ratings, wanted: str) -> int:
    """Return the index of the item with this id, or else of the only one with this in its title.

    Raises
    ------
    DataError
        No item has this id or title.
    UsageError
        It is empty, or several titles hold it and none is it.
    """
    if not wanted.strip():
        raise UsageError(
            "the item is empty", expected="an item's id, or a part of its title", next_step="name one"
        )
    index = int(look_up_ids(ratings.item_ids, [wanted])[0])
    if index != UNKNOWN:
        return index
    titles = _titles(ratings)
    folded = wanted.casefold()
    holding = [item for item, title in enumerate(titles) if folded and folded in title.casefold()]
    whole = [item for item in holding if titles[item].casefold() == folded]
    matches = whole if len(whole) == 1 else holding
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise _no_item(ratings, wanted, titles)
    shown = "; ".join(f"{ratings.item_ids[item]} {titles[item]}" for item in matches[:SHOWN])
    raise UsageError(
        f"{len(matches)} titles hold {shorten(wanted)!r}: {shown}{'; ...' if len(matches) > SHOWN else ''}",
        expected="an item's id, or a part of one title",
        next_step="name the id, or more of the title",
    )


def _titles(ratings: Ratings) -> list[str]:
    if ratings.item_table is None or "title" not in ratings.item_table.columns:
        return []
    return [title or "" for title in ratings.item_table["title"]]


def _no_item(ratings: Ratings, wanted: str, titles: list[str]) -> DataError:
    close = nearest(wanted, titles)
    some = ", ".join(str(item_id) for item_id in ratings.item_ids[:3])
    hint = spelling_hint(ratings.item_ids, [wanted]).removeprefix("; ")
    return DataError(
        f"no item of {ratings.name} has the id {shorten(wanted)!r}, or it in its title",
        expected=f"the id of one of its {ratings.n_items} items, such as {some}, or a part of one title",
        next_step=hint or (f"did you mean {close!r}?" if close else "correct the id"),
    )
