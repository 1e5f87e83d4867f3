"""From the files of a data set, in any layout, to raw columns and tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from movielens_recsys.data.readers.columns import INTERACTION_TABLE, RATING_TABLE, TableKind
from movielens_recsys.data.readers.delimited import read_delimited
from movielens_recsys.data.readers.foreign_errors import mapped_errors
from movielens_recsys.data.readers.layouts import Layout
from movielens_recsys.data.readers.metadata import read_items, read_tags, read_users
from movielens_recsys.data.readers.options import UNSTATED, ReadOptions
from movielens_recsys.data.readers.parquet import PARQUET_MAGIC, read_parquet
from movielens_recsys.data.readers.rows import RawRows
from movielens_recsys.data.readers.source import open_source

READER_VERSION = 4
"""Raised whenever the readers return something else for the same bytes, which retires cache entries."""


@dataclass(frozen=True, eq=False)
class RawData:
    """Rows and tables as the files hold them, before cleaning.

    The tables are as `movielens_recsys.data.readers.metadata` describes them, or None.
    """

    rows: RawRows
    items: pl.DataFrame | None = None
    users: pl.DataFrame | None = None
    tags: pl.DataFrame | None = None


def read(layout: Layout, options: ReadOptions = UNSTATED) -> RawData:
    """Read a data set, its rating file as ``options`` state it is written.

    Raises
    ------
    ReadError
        A file is not what its content promises, or has to be explained by an option.
    """
    rows = read_ratings(layout.ratings, options, INTERACTION_TABLE if options.implicit else RATING_TABLE)
    return RawData(rows, read_items(layout), read_users(layout), read_tags(layout))


def read_ratings(path: Path, options: ReadOptions = UNSTATED, kind: TableKind = RATING_TABLE) -> RawRows:
    """Read a rating file, whatever its name: its content decides how; ``kind`` says which columns it has.

    Raises
    ------
    ReadError
        See `read`.
    """
    with mapped_errors(path):
        with path.open("rb") as file:
            is_parquet = file.read(4) == PARQUET_MAGIC
        return (
            read_parquet(path, options, kind)
            if is_parquet
            else read_delimited(open_source(path), options, kind)
        )
