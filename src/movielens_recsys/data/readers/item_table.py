"""Titles, genres and years of items from a user's own table, to go with imported ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from movielens_recsys.data.readers.account import ColumnAccount, ReadingAccount
from movielens_recsys.data.readers.delimited import form
from movielens_recsys.data.readers.dialect import Dialect, split_fields
from movielens_recsys.data.readers.foreign_errors import mapped_errors
from movielens_recsys.data.readers.metadata import NO_GENRES, year_of
from movielens_recsys.data.readers.parquet import PARQUET_MAGIC
from movielens_recsys.data.readers.records import LINE, ROW, read_records
from movielens_recsys.data.readers.source import empty_file, open_source
from movielens_recsys.data.readers.values.ids import read_ids
from movielens_recsys.errors import ReadError, nearest, shorten
from movielens_recsys.schema import Finding, Severity

ITEM, TITLE, GENRES, YEAR = "item", "title", "genres", "year"
_ALIASES = {
    ITEM: ("item", "itemid", "movie", "movieid", "iid", "product", "productid", "asin", "id"),
    TITLE: ("title", "name", "movietitle", "itemname", "itemtitle", "producttitle", "productname"),
    GENRES: ("genres", "genre", "categories", "category"),
    YEAR: ("year", "releaseyear", "yearofpublication", "published"),
}
_SEPARATORS = (",", "\t", ";", "::", "|")
_GENRE_SEPARATORS = ("|", ",", ";")
_MAPPING = "--item-columns item=NAME,title=NAME,genres=NAME,year=NAME"
_FORMS = {ITEM: "ids", TITLE: "text", GENRES: "lists of text", YEAR: "years"}
SHOWN = 5


@dataclass(frozen=True, eq=False)
class ItemTable:
    """Items of a user's table, each once.

    Attributes
    ----------
    frame
        Columns ``item`` (the id as it is written), ``title``, ``genres`` (list of text) and ``year`` (int32),
        of the last three those that the file has; null or empty where a field is.
    account
        What became of the lines and columns of the file.
    findings
        What could not be read and is left empty.
    """

    frame: pl.DataFrame
    account: ReadingAccount
    findings: tuple[Finding, ...] = ()


def read_item_table(path: Path, columns: Mapping[str, str] | None = None) -> ItemTable:
    """Read a CSV, TSV or Parquet table of items with a header.

    ``columns`` maps item, title, genres and year to the file's names; for the others, usual names are
    recognized. Genres are
    separated by bars, commas or semicolons: by the first of these that the column has. Without a column of
    years, the year that ends a title, as in "Heat (1995)", is taken.

    Raises
    ------
    ReadError
        The file cannot be read, has no column of items or nothing beside it, or names an item twice.
    """
    with mapped_errors(path):
        with path.open("rb") as file:
            is_parquet = file.read(4) == PARQUET_MAGIC
        table, account = _parquet_table(path) if is_parquet else _text_table(path)
        mapping = _map_columns([name for name in table.columns if name != ROW], columns, path)
        frame = table.select(ROW, **{ours: pl.col(theirs) for ours, theirs in mapping.items()})
        frame = frame.with_columns(_ids(frame[ITEM]))
        unit = "row" if is_parquet else "line"
        _refuse_bad_ids(frame, path, unit)
        ignored = tuple(name for name in table.columns if name not in {*mapping.values(), ROW})
        typed = _typed(frame.drop(ROW))
        read = tuple(_column_account(ours, theirs, typed) for ours, theirs in mapping.items())
        account = replace(account, columns=read, ignored=ignored)
        return ItemTable(typed, account, _unread_years(frame, typed, unit))


def align_items(table: ItemTable, ids: NDArray[np.generic]) -> tuple[pl.DataFrame, tuple[Finding, ...]]:
    """Return the table with a row for each of ``ids``, in their order, and findings on what does not match.

    Ids are compared as they are written: ``007`` is another item than ``7``.

    Raises
    ------
    ReadError
        Not a single id is in the table.
    """
    wanted = pl.DataFrame({"item_id": pl.Series(ids.tolist()), ITEM: [str(value) for value in ids.tolist()]})
    frame = wanted.join(table.frame, on=ITEM, how="left", maintain_order="left").drop(ITEM)
    absent = wanted.join(table.frame, on=ITEM, how="anti")
    unrated = table.frame.join(wanted, on=ITEM, how="anti")
    if absent.height == len(ids):
        raise ReadError(
            f"none of the {len(ids)} rated items is in the table of items, such as {absent[ITEM][0]!r}",
            expected=f"the same ids; the table has ids such as {table.frame[ITEM][0]!r}",
            next_step="name the column of the ids: --item-columns item=NAME,title=NAME",
        )
    findings = list(table.findings)
    if absent.height:
        some = ", ".join(absent[ITEM][:SHOWN]) + (", ..." if absent.height > SHOWN else "")
        advice = f"{absent.height} of {len(ids)} rated items are not in the table of items: {some}"
        findings.append(Finding("items_without_title", float(absent.height), 0.0, Severity.WARNING, advice))
    if unrated.height:
        advice = f"{unrated.height} items of the table of items have no rating, and are left out"
        findings.append(Finding("items_without_ratings", float(unrated.height), None, Severity.INFO, advice))
    ignored = table.account.ignored
    if ignored:
        advice = f"columns of the table of items that are not read: {', '.join(ignored)}"
        findings.append(Finding("item_columns_ignored", float(len(ignored)), None, Severity.INFO, advice))
    return frame, tuple(findings)


def _column_account(ours: str, theirs: str, typed: pl.DataFrame) -> ColumnAccount:
    values = typed[ours]
    empty = values.list.len() == 0 if values.dtype == pl.List(pl.String) else values.is_null()
    return ColumnAccount(ours, theirs, _FORMS[ours], int(empty.fill_null(True).sum()))


def _parquet_table(path: Path) -> tuple[pl.DataFrame, ReadingAccount]:
    table = pl.read_parquet(path)
    if table.is_empty():
        raise empty_file(path)
    return table.with_row_index(ROW, offset=1), ReadingAccount("Parquet", 0, 0, 0, 0, ())


def _text_table(path: Path) -> tuple[pl.DataFrame, ReadingAccount]:
    """Return the fields of a text file as they are written with the line of each row, and its lines."""
    source = open_source(path)
    if source.undecodable_line is not None:
        raise ReadError(
            f"{path} line {source.undecodable_line} is not UTF-8",
            expected="text in UTF-8",
            next_step="convert the file, such as with iconv -f LATIN1 -t UTF-8",
        )
    lines = source.head(2**18).decode("utf-8-sig", errors="replace").splitlines()
    header = next(number for number, line in enumerate(lines) if line.strip())
    separator = max(_SEPARATORS, key=lambda text: len(split_fields(lines[header], text)))
    names = tuple(split_fields(lines[header], separator))
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise ReadError(
            f"{path} has two columns called {shorten(twice)!r}", next_step="rename or remove one of them"
        )
    dialect = Dialect(separator, names, header + 1, {}, header=True)
    records = read_records(source, dialect)
    if records.faults.height:
        line, _, found = records.faults.row(0)
        raise ReadError(
            f"{path} line {line}: a quotation mark opens a field that does not end, found {found!r}",
            next_step="close it, or double the mark and enclose the field",
        )
    every = records.frame.collect()
    frame = every.filter(pl.col(LINE).is_not_null())
    if frame.is_empty():
        raise empty_file(path)
    rows = [split_fields(line, records.separator) for line in frame[LINE]]
    for line, row in zip(frame[ROW], rows, strict=True):
        if len(row) != len(names):
            raise ReadError(
                f"{path} line {line}: {len(row)} fields",
                expected=f"{len(names)}, as in the header: {shorten(', '.join(names), 100)}",
                next_step="correct the line; enclose a field that holds the separator in quotation marks",
            )
    columns = {name: [row[number] for row in rows] for number, name in enumerate(names)}
    row_lines = frame.height + records.extra_lines
    account = ReadingAccount(
        form(source, dialect),
        source.lines,
        dialect.header_lines,
        every.height - frame.height,
        row_lines,
        (),
    )
    return pl.DataFrame({ROW: frame[ROW], **columns}), account


def _ids(values: pl.Series) -> pl.Series:
    """Return ids as those of ratings are written: ``10`` for a column of ``10.0``."""
    texts = values.cast(pl.String).str.strip_chars().replace("", None)
    return read_ids(texts, texts.is_not_null(), ITEM).values.cast(pl.String).alias(ITEM)


def _map_columns(names: Sequence[str], stated: Mapping[str, str] | None, path: Path) -> dict[str, str]:
    plain = {
        name.partition(":")[0].lower().replace("_", "").replace(" ", ""): name for name in reversed(names)
    }
    mapping = {
        ours: plain[alias]
        for ours, aliases in _ALIASES.items()
        for alias in reversed(aliases)
        if alias in plain
    }
    stated = stated or {}
    for ours in stated:
        if ours not in _ALIASES:
            close = nearest(ours, list(_ALIASES))
            raise ReadError(
                f"there is no column {shorten(ours)!r} of items",
                expected=", ".join(_ALIASES),
                next_step=f"did you mean {close!r}?" if close else _MAPPING,
            )
    taken = set(stated.values())
    mapping = {ours: theirs for ours, theirs in mapping.items() if theirs not in taken} | dict(stated)
    absent = [theirs for theirs in mapping.values() if theirs not in names]
    if absent or ITEM not in mapping or len(mapping) < 2:
        what = repr(absent[0]) if absent else "of items" if ITEM not in mapping else "of titles"
        raise ReadError(
            f"{path} has no column {shorten(what)}; its columns are {shorten(', '.join(names), 200)}",
            expected="the items' ids, and their titles, genres or years",
            next_step=f"name them: {_MAPPING}",
        )
    return mapping


def _refuse_bad_ids(frame: pl.DataFrame, path: Path, unit: str) -> None:
    missing = frame.filter(pl.col(ITEM).is_null())
    if missing.height:
        raise ReadError(
            f"{path} {unit} {missing[ROW][0]}: the item id is missing", next_step="correct the file"
        )
    twice = frame.filter(pl.col(ITEM).is_duplicated())
    if twice.height:
        first = twice.filter(pl.col(ITEM) == twice[ITEM][0])[ROW]
        raise ReadError(
            f"{path}: item {shorten(twice[ITEM][0])!r} is there twice, on {unit}s {first[0]} and {first[1]}",
            expected="each item once",
            next_step="leave one of them out",
        )


def _unread_years(frame: pl.DataFrame, typed: pl.DataFrame, unit: str) -> tuple[Finding, ...]:
    """Return the finding that years cannot be read."""
    if YEAR not in frame.columns:
        return ()
    written = frame.select(ROW, pl.col(YEAR).cast(pl.String).str.strip_chars())
    unread = written.filter(typed[YEAR].is_null() & (pl.col(YEAR) != ""))
    if unread.is_empty():
        return ()
    advice = (
        f"{unread.height} years of the table of items cannot be read, and are left empty, the first on "
        f"{unit} {unread[ROW][0]}: found {shorten(unread[YEAR][0])!r}"
    )
    return (Finding("item_years_unreadable", float(unread.height), 0.0, Severity.WARNING, advice),)


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    if TITLE in frame.columns:
        title = pl.col(TITLE).cast(pl.String).str.strip_chars()
        frame = frame.with_columns(pl.when(title != "").then(title))
    if GENRES in frame.columns and frame.schema[GENRES] != pl.List(pl.String):
        frame = frame.with_columns(_genres(frame[GENRES].cast(pl.String).fill_null("")))
    if YEAR in frame.columns:
        year = pl.col(YEAR).cast(pl.String).str.extract(r"^\s*(\d{4})(?:\D|$)")
        frame = frame.with_columns(year.cast(pl.Int32).alias(YEAR))
    elif TITLE in frame.columns:
        years = [year_of(title or "") for title in frame[TITLE]]
        if any(years):
            frame = frame.with_columns(pl.Series(YEAR, years, dtype=pl.Int32))
    return frame


def _genres(texts: pl.Series) -> pl.Series:
    """Split every text at the separator of the column; a list may be written with brackets and quotes."""
    bare = [text.strip().removeprefix("[").removesuffix("]") for text in texts]
    separator = next((sign for sign in _GENRE_SEPARATORS if any(sign in text for text in bare)), "|")
    names = [[name.strip().strip("'\"").strip() for name in text.split(separator)] for text in bare]
    return pl.Series(
        GENRES, [[name for name in row if name not in NO_GENRES] for row in names], pl.List(pl.String)
    )
