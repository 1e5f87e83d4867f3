"""Recommendations as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from movielens_recsys.cli.fitted_table import FittedTable
from movielens_recsys.cli.output import console, emit, warn
from movielens_recsys.cli.recommending.fitted import Fitted

if TYPE_CHECKING:
    from movielens_recsys.recommending.ranking import RankedItems


def show_recommendations(fitted: Fitted, answers: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print answers, each that of `answer` for one user, and what they are ordered by."""
    order = _order(fitted, answers)
    _warn_of_unranked(fitted, [row["item"] for found in answers for row in found["recommendations"]])

    def render() -> None:
        for found in answers:
            _print_table(_title(found, fitted), found["recommendations"])
        console.print(f"Ordered by {order}.", highlight=False)

    values = {"model": fitted.name, "ordered_by": order, "notes": list(fitted.notes), "users": answers}
    emit(values, as_json=as_json, render=render)


def _warn_of_unranked(fitted: Fitted, item_ids: Sequence[int | str]) -> None:
    """Say once that the scores of some of the items say nothing."""
    from movielens_recsys.recommending.ids import look_up_ids

    ranked = fitted.model.ranked_items[look_up_ids(fitted.ratings.item_ids, item_ids)]
    count = len(ranked) - int(ranked.sum())
    if count:
        warn(f"the model has learned nothing of {count:,} of the {len(ranked):,} items: they come last")


def _order(fitted: Fitted, answers: Sequence[Mapping[str, Any]]) -> str:
    """Return what the items are ordered by; the fallback's order has other words than the model's."""
    known = {found["known"] for found in answers}
    fallback = f"the model's fallback for unknown users: {fitted.model.fallback_meaning}"
    if known == {False}:
        return fallback
    meaning = fitted.model.score_meaning
    return f"{meaning}; where it knows nothing of the user, by {fallback}" if False in known else meaning


def answer(
    fitted: Fitted,
    name: str,
    ranked: RankedItems,
    *,
    known: bool,
    n_rated: int,
    favourites: Sequence[str] = (),
) -> dict[str, Any]:
    """Return what is shown to one user as plain JSON values.

    ``known`` says whether the model answers by the user's ratings, of which there are ``n_rated``. Predicted
    ratings are null if the model predicts none itself.
    """
    from movielens_recsys.recommending.slate import with_titles

    return {
        "user": name,
        "known": known,
        "n_rated": n_rated,
        "favourites": list(favourites),
        "recommendations": [
            {
                "rank": rank,
                "item": line.item_id,
                "title": line.title,
                "score": line.score,
                "predicted_rating": line.predicted if fitted.predicts_ratings else None,
                "genres": list(line.genres),
            }
            for rank, line in enumerate(with_titles(ranked, fitted.ratings), start=1)
        ],
    }


def counted(count: int, what: str) -> str:
    """Return a number of things in words.

    >>> counted(1, "item"), counted(10, "rating")
    ('1 item', '10 ratings')
    """
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def titles_beside_ids(rows: Iterable[tuple[str, int | str]]) -> list[str]:
    """Return the titles of items with their ids; all empty where each is only the id again."""
    pairs = list(rows)
    has_titles = any(title != str(item) for title, item in pairs)
    return [title if has_titles else "" for title, _ in pairs]


def table_without_empty(title: str, columns: Mapping[str, Sequence[object]]) -> FittedTable:
    """Return a table without the columns that have no cell."""
    shown = {name: cells for name, cells in columns.items() if any(map(str, cells))}
    return FittedTable(title, list(shown), list(zip(*shown.values(), strict=True)), lesser=["genres"])


def _print_table(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = {
        "title": titles_beside_ids((row["title"], row["item"]) for row in rows),
        "item": [row["item"] for row in rows],
        "score": [f"{row['score']:.4g}" for row in rows],
        "predicted rating": [_two_digits(row["predicted_rating"]) for row in rows],
        "genres": [", ".join(row["genres"]) for row in rows],
    }
    console.print(table_without_empty(title, columns))


def _two_digits(rating: float | None) -> str:
    return "" if rating is None else f"{rating:.2f}"


def _title(found: Mapping[str, Any], fitted: Fitted) -> str:
    items = f"{counted(len(found['recommendations']), 'item')} for user {found['user']}"
    if not found["n_rated"]:
        return items
    liked = f" and liked most {'; '.join(found['favourites'])}" if found["favourites"] else ""
    known = counted(found["n_rated"], "interaction" if fitted.ratings.implicit else "rating")
    return f"{items}, who has {known}{liked}"
