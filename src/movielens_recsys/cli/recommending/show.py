"""Recommendations as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from movielens_recsys.cli.fitted_table import FittedTable
from movielens_recsys.cli.output import console, emit
from movielens_recsys.cli.recommending.fitted import Fitted

if TYPE_CHECKING:
    from movielens_recsys.recommending.ranking import RankedItems


def show_recommendations(fitted: Fitted, answers: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print answers, each that of `answer` for one user, and what they are ordered by."""
    order = fitted.model.score_meaning

    def render() -> None:
        for found in answers:
            _print_table(_title(found, fitted), found["recommendations"])
        console.print(f"Ordered by {order}.", highlight=False)

    values = {"model": fitted.name, "ordered_by": order, "notes": list(fitted.notes), "users": answers}
    emit(values, as_json=as_json, render=render)


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


def counted(n_items: int) -> str:
    """Return the number of items in words.

    >>> counted(1), counted(10)
    ('1 item', '10 items')
    """
    return f"{n_items} item" if n_items == 1 else f"{n_items} items"


def _print_table(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print recommendations, without the columns that none of them has."""
    columns = {
        "title": [row["title"] for row in rows],
        "item": [row["item"] for row in rows],
        "score": [f"{row['score']:.4g}" for row in rows],
        "predicted rating": [_two_digits(row["predicted_rating"]) for row in rows],
        "genres": [", ".join(row["genres"]) for row in rows],
    }
    shown = {name: cells for name, cells in columns.items() if any(map(str, cells))}
    cells = list(zip(*shown.values(), strict=True))
    console.print(FittedTable(title, list(shown), cells, lesser=["genres"]))


def _two_digits(rating: float | None) -> str:
    return "" if rating is None else f"{rating:.2f}"


def _title(found: Mapping[str, Any], fitted: Fitted) -> str:
    items = f"{counted(len(found['recommendations']))} for user {found['user']}"
    if not found["n_rated"]:
        return items
    liked = f" and liked most {'; '.join(found['favourites'])}" if found["favourites"] else ""
    known = "interactions" if fitted.ratings.implicit else "ratings"
    return f"{items}, who has {found['n_rated']} {known}{liked}"
