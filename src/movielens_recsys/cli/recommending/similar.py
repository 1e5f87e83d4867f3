"""`recsys similar`: the items that are most like one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from movielens_recsys.cli.arguments import Data
from movielens_recsys.cli.output import Json, console, emit
from movielens_recsys.cli.recommending.fitted import FittedRun, open_fitted
from movielens_recsys.cli.recommending.recommend import Top
from movielens_recsys.cli.recommending.show import counted, table_without_empty, titles_beside_ids


def similar(
    run: FittedRun,
    item: Annotated[str, typer.Option(metavar="ID_OR_TITLE", help="An item's id, or a part of its title.")],
    top: Top = 10,
    data: Data = "",
    json: Json = False,
) -> None:
    """Show the items most like one, by what the model has learned, or else by who rated both."""
    from movielens_recsys.recommending.similar_items import find_item, similar_items

    fitted = open_fitted(run, data)
    found = similar_items(fitted.model, fitted.ratings, find_item(fitted.ratings, item), top)

    def render() -> None:
        columns: dict[str, list[object]] = {
            "title": [*titles_beside_ids((line.title, line.item_id) for line in found.items)],
            "item": [line.item_id for line in found.items],
            "similarity": [f"{line.similarity:.4f}" for line in found.items],
            "genres": [", ".join(line.genres) for line in found.items],
        }
        is_titled = found.title != str(found.item_id)
        item = f"{found.title} ({found.item_id})" if is_titled else found.title
        console.print(table_without_empty(f"{counted(len(found.items), 'item')} most like {item}", columns))
        console.print(f"Similarity: {found.meaning}.", highlight=False)

    emit({"model": fitted.name, "notes": list(fitted.notes), **asdict(found)}, as_json=json, render=render)
