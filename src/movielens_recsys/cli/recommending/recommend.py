"""`recsys recommend`: the best items for users, shown or as a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from movielens_recsys.cli.arguments import Data
from movielens_recsys.cli.fitted_table import FittedTable
from movielens_recsys.cli.output import Json, console, emit, err_console, warn
from movielens_recsys.cli.recommending.fitted import Fitted, FittedRun, open_fitted
from movielens_recsys.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from movielens_recsys.arrays import I64
    from movielens_recsys.recommending.slate import Recommendation

Top = Annotated[int, typer.Option("--top", "-k", min=1, help="Number of items.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write a table to a .csv, .jsonl or .parquet file."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace the output file if it is there.")]


SHOWN = 5


def recommend(
    run: FittedRun,
    user: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A user of the data set; may be repeated.")
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="All users of the data set, as a table.")] = False,
    top: Top = 10,
    output: Output = None,
    force: Force = False,
    data: Data = "",
    json: Json = False,
) -> None:
    """Recommend items to users, without what they have rated: in training or held out from it."""
    if bool(user) == all:
        raise UsageError(
            "both --user and --all" if all else "no user to recommend to",
            expected="one of --user ID and --all",
            next_step=f"try: recsys recommend {run} --user ID",
        )
    if output is not None:
        from movielens_recsys.recommending.tables import check_output

        check_output(output, force=force)
    fitted = open_fitted(run, data)
    names = user or [str(user_id) for user_id in fitted.ratings.user_ids]
    users = _indices(names, fitted)
    if output is not None:
        from movielens_recsys.recommending.tables import write_table

        rows = write_table(_tables(fitted, users, names, top), output)
        err_console.print(f"{rows:,} rows for {len(users):,} users in {output}", highlight=False)
    elif all and not json:
        from movielens_recsys.recommending.tables import write_text

        write_text(_tables(fitted, users, names, top), sys.stdout.buffer)
    else:
        _show(fitted, users, names, top, json)


def _indices(names: Sequence[str], fitted: Fitted) -> I64:
    """Return the users' indices; those whom the model answers by its fallback are counted in a warning."""
    from movielens_recsys.recommender import UNKNOWN
    from movielens_recsys.recommending.ids import look_up_ids

    users = look_up_ids(fitted.ratings.user_ids, names)
    absent = [name for name, user in zip(names, users, strict=True) if user == UNKNOWN]
    ranked = fitted.model.ranked_users
    cold = [name for name, user in zip(names, users, strict=True) if user != UNKNOWN and not ranked[user]]
    for found, why in ((absent, "not in the data set"), (cold, "without training ratings that it uses")):
        if found:
            some = ", ".join(found[:SHOWN]) + (", ..." if len(found) > SHOWN else "")
            counts = f"{len(found):,} of {len(names):,} users are {why} ({some})"
            warn(f"{counts}: the model answers as for an unknown user")
    return users


def _tables(fitted: Fitted, users: I64, names: Sequence[str], top: int) -> Iterator[pl.DataFrame]:
    from movielens_recsys.recommender import UNKNOWN
    from movielens_recsys.recommending.ranking import rank_in_blocks
    from movielens_recsys.recommending.tables import ranked_table

    # Ids keep their type, unless there are some that the data set does not have.
    ids = names if (users == UNKNOWN).any() else fitted.ratings.user_ids[users].tolist()
    for ranked in rank_in_blocks(fitted.model, users, fitted.rated, top):
        yield ranked_table(ranked, fitted.ratings, ids, predicted=fitted.predicts_ratings)


def _show(fitted: Fitted, users: I64, names: Sequence[str], top: int, as_json: bool) -> None:
    answers = [_answer(fitted, int(user), name, top) for user, name in zip(users, names, strict=True)]

    def render() -> None:
        for answer in answers:
            print_recommendations(_title(answer), answer["recommendations"])
        console.print(f"Ordered by {fitted.model.score_meaning}.", highlight=False)

    values = {
        "model": fitted.name,
        "ordered_by": fitted.model.score_meaning,
        "notes": list(fitted.notes),
        "users": answers,
    }
    emit(values, as_json=as_json, render=render)


def _answer(fitted: Fitted, user: int, name: str, top: int) -> dict[str, Any]:
    import numpy as np

    from movielens_recsys.recommender import UNKNOWN
    from movielens_recsys.recommending.ranking import rank_for_users
    from movielens_recsys.recommending.slate import favourite_titles, with_titles

    ranked = rank_for_users(fitted.model, np.array([user]), fitted.rated, top)
    return {
        "user": name,
        "known": user != UNKNOWN and bool(fitted.model.ranked_users[user]),
        "n_rated": len(fitted.rated[user]),
        "favourites": favourite_titles(fitted.ratings, user),
        "recommendations": recommendations_json(with_titles(ranked, fitted.ratings), fitted),
    }


def recommendations_json(found: Sequence[Recommendation], fitted: Fitted) -> list[dict[str, Any]]:
    """Return recommendations as plain JSON values; the predicted rating is null if the model has none."""
    return [
        {
            "rank": rank,
            "item": line.item_id,
            "title": line.title,
            "score": line.score,
            "predicted_rating": line.predicted if fitted.predicts_ratings else None,
            "genres": list(line.genres),
        }
        for rank, line in enumerate(found, start=1)
    ]


def print_recommendations(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print recommendations as a table, without the columns that none of them has."""
    columns = {
        "title": [row["title"] for row in rows],
        "item": [row["item"] for row in rows],
        "score": [f"{row['score']:.4g}" for row in rows],
        "predicted rating": [
            "" if row["predicted_rating"] is None else f"{row['predicted_rating']:.2f}" for row in rows
        ],
        "genres": [", ".join(row["genres"]) for row in rows],
    }
    shown = {name: cells for name, cells in columns.items() if any(map(str, cells))}
    cells = list(zip(*shown.values(), strict=True))
    console.print(FittedTable(title, list(shown), cells, lesser=["genres"]))


def _title(answer: Mapping[str, Any]) -> str:
    items = f"{len(answer['recommendations'])} items for user {answer['user']}"
    if not answer["n_rated"]:
        return items
    liked = f" and liked most {'; '.join(answer['favourites'])}" if answer["favourites"] else ""
    return f"{items}, who has rated {answer['n_rated']}{liked}"
