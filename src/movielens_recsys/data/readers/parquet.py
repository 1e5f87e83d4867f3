"""Parquet files, whose columns have types: held to the same rules as text."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from movielens_recsys.data.readers.account import ReadingAccount
from movielens_recsys.data.readers.columns import RATING_TABLE, TableKind, map_columns
from movielens_recsys.data.readers.options import ReadOptions
from movielens_recsys.data.readers.records import ROW
from movielens_recsys.data.readers.rows import Fields, RawRows, type_columns
from movielens_recsys.data.readers.source import empty_file
from movielens_recsys.data.readers.values.column import TypedColumn
from movielens_recsys.data.readers.values.epochs import UNITS, is_seconds
from movielens_recsys.errors import ReadError
from movielens_recsys.schema import Column

PARQUET_MAGIC = b"PAR1"
_IDS = (Column.USER, Column.ITEM)
_WHOLE_NUMBERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)
"""Types of which each value is an Int64."""
_TEXTS = (pl.String, pl.Categorical, pl.Enum)
_NAMES = (pl.Boolean, pl.Date)
"""Types whose values may be ids, by the one text that each has."""


def read_parquet(path: Path, options: ReadOptions, kind: TableKind = RATING_TABLE) -> RawRows:
    """Read a Parquet file.

    Raises
    ------
    ReadError
        A column is missing, or of a type that cannot be what it stands for.
    """
    names = list(pl.read_parquet_schema(path))
    mapping = map_columns(names, options.columns, path.name, kind=kind)
    frame = pl.read_parquet(path, columns=[names[position] for position in mapping.values()])
    if frame.is_empty():
        raise empty_file(path)
    columns = {column: frame[names[position]] for column, position in mapping.items()}
    typed, texts = {}, {}
    for column, values in columns.items():
        known = _typed(column, values, options, path)
        if known is not None:
            typed[column] = known
        else:
            texts[column] = _texts(values)
    rows = pl.Series(ROW, range(1, frame.height + 1), dtype=pl.UInt32)
    fields = Fields(
        path,
        rows,
        rows.is_not_null(),
        {column: names[position] for column, position in mapping.items()},
        typed,
        texts,
        unit="row",
    )
    read = type_columns(fields, options)
    ignored = tuple(name for position, name in enumerate(names) if position not in mapping.values())
    account = ReadingAccount("Parquet", 0, 0, 0, 0, read.columns, ignored)
    return RawRows(read.frame, read.faults, read.findings, account, unit="row")


def _texts(values: pl.Series) -> pl.Series:
    """Return values as they would stand in a text file; whole numbers of Float64 with all their digits."""
    if not values.dtype.is_float():
        return values.cast(pl.String)
    whole = values.cast(pl.Int64, strict=False)
    exact = (whole.cast(pl.Float64) == values).fill_null(False)
    return (whole.cast(pl.String) + ".0").zip_with(exact, values.cast(pl.String))


def _typed(column: Column, values: pl.Series, options: ReadOptions, path: Path) -> TypedColumn | None:
    """Return a column whose type says what its values are; None for one that is read as text."""
    dtype = values.dtype
    if column is Column.TIMESTAMP and dtype in (pl.Date, pl.Datetime):
        zone = "" if getattr(dtype, "time_zone", None) else "; times without a zone are taken as UTC"
        return TypedColumn(values.cast(pl.Datetime("us")).dt.epoch("s"), f"dates ({dtype}){zone}")
    if column is Column.RATING and dtype == pl.Boolean:
        return TypedColumn(values.cast(pl.Float64), "false as 0, true as 1")
    if column is Column.RATING and dtype.is_numeric():
        numbers = values.cast(pl.Float64, strict=False)
        return TypedColumn(numbers, f"numbers ({dtype})") if numbers.is_finite().all() else None
    if dtype in _WHOLE_NUMBERS and column in _IDS:
        return TypedColumn(values.cast(pl.Int64), f"whole numbers ({dtype})")
    if dtype in _WHOLE_NUMBERS and column is Column.TIMESTAMP and options.time_format in {None, "seconds"}:
        seconds = values.cast(pl.Int64)
        return TypedColumn(seconds, UNITS["seconds"].form) if is_seconds(seconds).all() else None
    if dtype.is_numeric() or dtype in _TEXTS or (column in _IDS and dtype in _NAMES):
        return None
    raise ReadError(
        f"the column {values.name!r} of {path} is of type {dtype}, and cannot be the {column}",
        expected="dates or numbers" if column is Column.TIMESTAMP else "numbers or text",
        next_step="name another column, or convert it",
    )
