"""A rating file with something odd in it, and the outcomes that are right for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

Row = tuple[int | str, int | str, float, int | None]
"""User, item, rating, and seconds since 1970 or None where the file has no times."""

COLUMNS = ("user", "item", "rating", "timestamp")
ROWS: tuple[Row, ...] = (
    (1, 10, 5.0, 874965758),
    (1, 20, 3.0, 876893171),
    (7, 10, 4.0, 878542960),
    (3, 30, 1.0, 876893119),
)
BAD = object()
"""Stands for a value that cannot be read: its row is refused, or rejected and counted."""


@dataclass(frozen=True)
class Kept:
    """The rows that are read, in file order, and what is said about the others.

    ``rejected`` rows are left out and counted; a finding holds the words ``says``; ``joined_lines`` lines
    are inside quoted fields of the rows; ``titles`` are those of some items.
    """

    rows: Sequence[Row]
    rejected: int = 0
    says: str = ""
    joined_lines: int = 0
    titles: Mapping[int | str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """A refusal that names the file (unless only the request is wrong) and the line, and holds ``says``."""

    says: tuple[str, ...] = ()
    line: int | None = None
    names_file: bool = True


Outcome = Kept | Refused


@dataclass(frozen=True)
class Case:
    """One file, how it is loaded, and what is right.

    Attributes
    ----------
    name
        What is odd about it.
    content
        Text, bytes, or a frame that is written as Parquet.
    right
        The outcome by default; of several, each is right.
    rejecting
        The outcomes that are right where bad rows are rejected; None: as ``right``.
    file
        The file's name; the folder is loaded instead where ``by_folder``.
    options
        Keywords of `load_ratings`.
    beside
        Further files of the folder.
    items
        The name of the one of these that is the table of items.
    header_lines
        Lines before the first row; None where lines of the content are not rows.
    """

    name: str
    content: str | bytes | pl.DataFrame
    right: tuple[Outcome, ...]
    rejecting: tuple[Outcome, ...] | None = None
    file: str = "ratings.csv"
    options: Mapping[str, Any] = field(default_factory=dict)
    beside: Mapping[str, str | bytes | pl.DataFrame] = field(default_factory=dict)
    items: str = ""
    by_folder: bool = False
    header_lines: int | None = 1


def table(
    rows: Iterable[Sequence[object]], header: str = ",".join(COLUMNS), separator: str = ",", end: str = "\n"
) -> str:
    """Return rows as text under a header, which is written with commas here; ratings as short as can be."""
    lines = [header.replace(",", separator)] if header else []
    lines += [separator.join(_written(value) for value in row) for row in rows]
    return "".join(line + end for line in lines)


def _written(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def column_rows(column: str, values: Sequence[Any]) -> list[list[Any]]:
    """Return one ordinary row for each value, with the value in ``column``."""
    rows = []
    for number, value in enumerate(values):
        row: list[Any] = [1 + number, 10 + 10 * number, float(1 + number % 5), 1_500_000_000 + 1000 * number]
        row[COLUMNS.index(column)] = value
        rows.append(row)
    return rows


def kept_rows(column: str, values: Sequence[Any]) -> list[Row]:
    """Return the rows of `column_rows` without the bad ones."""
    return [tuple(row) for row in column_rows(column, values) if BAD not in row]


def column_right(
    column: str, texts: Sequence[str], values: Sequence[Any], says: str = ""
) -> tuple[Outcome, Outcome]:
    """Return what is right for a column of texts that mean ``values``: by default, and rejecting bad rows."""
    kept = Kept(kept_rows(column, values), sum(value is BAD for value in values), says)
    if not kept.rejected:
        return kept, kept
    first = next(number for number, value in enumerate(values) if value is BAD)
    refused = Refused((texts[first] if texts[first].strip() else "missing",), line=first + 2)
    return refused, kept if kept.rows else refused


def column_case(
    name: str, column: str, texts: Sequence[str], *meanings: Sequence[Any], separator: str = ",", **more: Any
) -> Case:
    """Return the case of one odd column; each of the ``meanings`` is right, none means it is refused."""
    rights = [column_right(column, texts, values) for values in meanings]
    refusal = (Refused((texts[0],)),)
    return Case(
        name,
        table(column_rows(column, texts), separator=separator),
        tuple(right for right, _ in rights) or refusal,
        tuple(rejecting for _, rejecting in rights) or refusal,
        **more,
    )


def asking(case: Case, kept: Outcome, **option: Any) -> Iterator[Case]:
    """Yield the case twice: refused with a word on the option that it needs, and kept where that is given."""
    ((keyword, value),) = option.items()
    flag = "--no-header" if keyword == "header" else f"--{keyword.replace('_', '-')}"
    yield replace(case, right=(Refused((flag,)),), rejecting=None)
    stated = {**case.options, keyword: value}
    yield replace(
        case, name=f"{case.name}, {keyword}={value!r}", right=(kept,), rejecting=None, options=stated
    )
