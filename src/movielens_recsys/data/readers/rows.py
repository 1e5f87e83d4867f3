"""Columns of one file as values, with every field that cannot be read: the same rules for every format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from movielens_recsys.data.readers.account import ColumnAccount, ReadingAccount
from movielens_recsys.data.readers.columns import ORDER, REQUIRED
from movielens_recsys.data.readers.faults import fault_frame, faults_where
from movielens_recsys.data.readers.options import ReadOptions
from movielens_recsys.data.readers.records import ROW
from movielens_recsys.data.readers.values.column import (
    TypedColumn,
    WrittenColumn,
    present_texts,
    without_quotes,
)
from movielens_recsys.data.readers.values.ids import read_ids
from movielens_recsys.data.readers.values.ratings import read_ratings
from movielens_recsys.data.readers.values.times import read_times
from movielens_recsys.errors import ReadError, shorten
from movielens_recsys.schema import Column, Finding, Severity

_REPLACEMENT = "�"
"""What stands for bytes that are not UTF-8."""

_SHOWN_CHARACTERS = 40


@dataclass(frozen=True, eq=False)
class RawRows:
    """The rows of a file before cleaning.

    Attributes
    ----------
    frame
        Columns ``row`` (1-based line of a text file, else row), ``user`` and ``item`` (Int64 or String),
        ``rating`` (Float64) and, where there are times, ``timestamp`` (Int64 seconds since 1970).
    faults
        Every field and row that is missing or cannot be read (see `fault_frame`): null in ``frame``.
    findings
        What a user should know of the file.
    account
        What became of its lines and columns.
    unit
        What ``row`` counts.
    """

    frame: pl.DataFrame
    faults: pl.DataFrame
    findings: tuple[Finding, ...]
    account: ReadingAccount
    unit: Literal["line", "row"] = "line"


@dataclass(frozen=True, eq=False)
class Typed:
    """Columns of values with their faults, findings and forms."""

    frame: pl.DataFrame
    faults: pl.DataFrame
    findings: tuple[Finding, ...]
    columns: tuple[ColumnAccount, ...]


@dataclass(frozen=True, eq=False)
class Fields:
    """The mapped columns of a file.

    Attributes
    ----------
    path
        The file.
    rows
        The line or row number of each row.
    usable
        Which rows have all their fields.
    names
        Our columns, with the names that they have in the file.
    typed
        Columns whose values are known already.
    texts
        Every other column as it is written, null in rows that are not usable.
    undecodable
        Whether texts may hold bytes that are not UTF-8.
    plain_quotes
        Whether quotation marks are plain characters, as far as they do not enclose every field of a column.
    unit
        What ``rows`` counts.
    """

    path: Path
    rows: pl.Series
    usable: pl.Series
    names: Mapping[Column, str]
    typed: Mapping[Column, TypedColumn]
    texts: Mapping[Column, pl.Series]
    undecodable: bool = False
    plain_quotes: bool = False
    unit: Literal["line", "row"] = "line"


def type_columns(fields: Fields, options: ReadOptions) -> Typed:
    """Read each column as a whole; what is there and cannot be read becomes a fault, and null.

    Raises
    ------
    ReadError
        The format of a column has to be stated, or its bytes are not UTF-8.
    """
    written = {column: _written(column, fields) for column in fields.texts}
    counted = fields.usable & _present(written, fields)
    series: dict[Column, pl.Series] = {}
    faults: list[pl.DataFrame] = [fault_frame([])]
    findings: list[Finding] = []
    accounts: dict[Column, ColumnAccount] = {}
    # Ids come last: their type is that of the rows whose other fields can be read.
    for column in sorted(fields.names, key=[Column.RATING, Column.TIMESTAMP, Column.USER, Column.ITEM].index):
        typed = fields.typed.get(column) or _read(column, written[column], counted, options)
        as_written = written.pop(column, None)
        missing, bad = _faults(column, typed.values, as_written, fields, options)
        if column in {Column.RATING, Column.TIMESTAMP}:
            counted = counted & (typed.values.is_not_null() | missing)
        faults += bad
        series[column] = typed.values.alias(column)
        findings += typed.findings
        form = typed.form + ", enclosed in quotation marks" * bool(as_written and as_written.enclosed)
        accounts[column] = ColumnAccount(column, fields.names[column], form, int(missing.sum()))
    ordered = [column for column in ORDER if column in series]
    return Typed(
        pl.DataFrame([fields.rows.alias(ROW), *(series[column] for column in ordered)]),
        pl.concat(faults),
        tuple(findings),
        tuple(accounts[column] for column in ordered),
    )


def _written(column: Column, fields: Fields) -> WrittenColumn:
    text = fields.texts[column]
    bare = without_quotes(text) if fields.plain_quotes else text
    words = bare.str.strip_chars()
    if fields.undecodable:
        damaged = words.str.contains(_REPLACEMENT, literal=True).fill_null(False)
        if damaged.any():
            raise ReadError(
                f"{fields.path} {fields.unit} {fields.rows.filter(damaged)[0]}: the {column} is not UTF-8, "
                f"found {shorten(words.filter(damaged)[0])!r}",
                expected="text in UTF-8",
                next_step="convert the file, such as with iconv -f LATIN1 -t UTF-8",
            )
    source = f"{fields.path} {fields.unit}"
    return WrittenColumn(present_texts(words), words, fields.rows, source, bare is not text)


def _present(written: Mapping[Column, WrittenColumn], fields: Fields) -> pl.Series:
    """Return the rows whose ids and ratings are not empty."""
    present = fields.usable
    for column in REQUIRED:
        if column in fields.names:
            known = written[column].texts if column in written else fields.typed[column].values
            present = present & known.is_not_null()
    return present


def _read(column: Column, written: WrittenColumn, counted: pl.Series, options: ReadOptions) -> TypedColumn:
    if column is Column.RATING:
        return read_ratings(written, options.decimal)
    if column is Column.TIMESTAMP:
        return read_times(written, options.time_format)
    return read_ids(written.texts, counted, column)


def _faults(
    column: Column, values: pl.Series, written: WrittenColumn | None, fields: Fields, options: ReadOptions
) -> tuple[pl.Series, list[pl.DataFrame]]:
    """Return which fields are empty, and the faults of the column."""
    if written is None:
        missing = fields.usable & values.is_null()
        words = pl.Series([None], dtype=pl.String).new_from_index(0, len(missing))
        faults = []
    else:
        texts, words = written.texts, written.words
        missing = fields.usable & texts.is_null()
        unreadable = fields.usable & values.is_null() & texts.is_not_null()
        reason, found = f"{column}_unreadable", texts
        if column is Column.TIMESTAMP and options.time_format is not None:
            reason, found = "timestamp_not_as_stated", _against(texts, options.time_format)
        faults = [faults_where(fields.rows, reason, unreadable, found)]
    if column is not Column.TIMESTAMP:
        faults.append(faults_where(fields.rows, f"{column}_missing", missing, words))
    return missing, faults


def _against(texts: pl.Series, time_format: str) -> pl.Series:
    return "'" + texts.str.head(_SHOWN_CHARACTERS) + f"' where {shorten(time_format)} is stated"


def undecodable_elsewhere(line: int | None) -> tuple[Finding, ...]:
    """Return the finding that bytes are not UTF-8 where it does not matter, in columns that are not read."""
    if line is None:
        return ()
    advice = f"line {line} is the first that is not UTF-8; the columns that are read are not concerned"
    return (Finding("text_not_utf8", float(line), None, Severity.INFO, advice),)
