"""From the files of a data set, in any layout, to raw columns and tables."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from movielens_recsys.data.readers.delimited import ORDER, read_delimited
from movielens_recsys.data.readers.generic import read_named_columns, read_table
from movielens_recsys.data.readers.layouts import Layout
from movielens_recsys.data.readers.metadata import read_items, read_tags, read_users
from movielens_recsys.data.readers.options import UNSTATED, ReadOptions
from movielens_recsys.errors import UsageError

READER_VERSION = 1
"""Raised whenever the readers return something else for the same bytes, which retires cache entries."""

_SEPARATORS = {"u.data": "\t", "dat": "::"}
_HEADERS = {
    "csv": ("userId", "movieId", "rating", "timestamp"),
    "recbole": ("user_id:token", "item_id:token", "rating:float", "timestamp:float"),
}


@dataclass(frozen=True, eq=False)
class RawData:
    """Rows and tables as the files hold them, before cleaning.

    ``rows`` has the columns ``row`` (1-based line), ``user`` and ``item`` (Int64 or String), ``rating``
    (Float64, null where unparsable) and, where there are times, ``timestamp`` (Int64 seconds or null).
    The tables are as `movielens_recsys.data.readers.metadata` describes them, or None.
    """

    rows: pl.DataFrame
    items: pl.DataFrame | None = None
    users: pl.DataFrame | None = None
    tags: pl.DataFrame | None = None


def read(layout: Layout, options: ReadOptions = UNSTATED) -> RawData:
    """Read a data set; ``options.columns`` maps our names to a table's, for the ``table`` layout alone."""
    not_built = [name for name in options.to_json() if name != "columns"]
    if not_built:
        raise UsageError(f"{not_built[0]} cannot be stated yet", next_step="leave it out")
    return RawData(_read_rows(layout, options), read_items(layout), read_users(layout), read_tags(layout))


def _read_rows(layout: Layout, options: ReadOptions) -> pl.DataFrame:
    if layout.name == "table":
        return read_table(layout.ratings, options.columns)
    if layout.name in _HEADERS:
        return read_named_columns(layout.ratings, dict(zip(ORDER, _HEADERS[layout.name], strict=True)))
    positions = {column: position for position, column in enumerate(ORDER)}
    return read_delimited(layout.ratings, _SEPARATORS[layout.name], positions, n_fields=len(ORDER))
