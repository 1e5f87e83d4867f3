"""Recommendations of many users as a table, and tables as files: CSV, JSON lines or Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import polars as pl

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.errors import UsageError
from movielens_recsys.files import atomic_file
from movielens_recsys.recommending.ranking import RankedItems

FORMATS = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


def ranked_table(
    ranked: RankedItems, ratings: Ratings, users: Sequence[int] | Sequence[str], *, predicted: bool
) -> pl.DataFrame:
    """Return columns user, item, rank, score, predicted_rating and title, a row for each ranked item.

    ``users`` are the ids of those asked for. ``predicted`` says whether the model predicts ratings; without
    it there is no such column. Where ``ratings`` has no titles, ids take their place.
    """
    columns: dict[str, object] = {
        "user": pl.Series(users).gather(ranked.positions),
        "item": pl.Series(ratings.item_ids[ranked.items].tolist()),
        "rank": ranked.ranks,
        "score": ranked.scores,
        **({"predicted_rating": ranked.predicted} if predicted else {}),
        "title": ratings.titles(ranked.items),
    }
    return pl.DataFrame(columns)


def check_output(path: Path, *, force: bool) -> None:
    """Refuse a file that cannot be written, before anything is computed for it.

    Raises
    ------
    UsageError
        Its ending names no format, its folder is missing, or it exists and ``force`` is not set.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(
            f"{path} has the ending {path.suffix!r}" if path.suffix else f"{path} has no ending",
            expected=f"a file of one of the formats {', '.join(FORMATS)}",
            next_step=f"write to {path.with_suffix('.csv')}, for example",
        )
    if not path.parent.is_dir():
        raise UsageError(f"no folder {path.parent}", next_step="create it, or choose another path")
    if path.is_dir():
        raise UsageError(
            f"{path} is a folder", expected="the name of a file", next_step="choose another path"
        )
    if path.exists() and not force:
        raise UsageError(
            f"{path} is there already", next_step="choose another path, or replace it with --force"
        )


def write_table(blocks: Iterable[pl.DataFrame], path: Path) -> int:
    """Write blocks of rows as one file, whole or not at all, in the format of its ending; return the rows.

    Raises
    ------
    StorageError
        The disk refused; what was there before remains.
    """
    with atomic_file(path) as file:
        if FORMATS[path.suffix.lower()] == "parquet":
            table = pl.concat(list(blocks))
            table.write_parquet(file)
            return table.height
        return write_text(blocks, file, FORMATS[path.suffix.lower()])


def write_text(blocks: Iterable[pl.DataFrame], file: BinaryIO, format: str = "csv") -> int:
    """Write blocks of rows to an open file, each as it comes, as CSV or JSON lines; return the rows."""
    rows = 0
    for block in blocks:
        if format == "csv":
            file.write(block.write_csv(include_header=rows == 0).encode())
        else:
            file.write(block.write_ndjson().encode())
        rows += block.height
    return rows
