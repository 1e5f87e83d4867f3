"""Rating files as columns: ``row, user, item, rating, timestamp``, with null wherever a field says nothing.

Nothing is repaired or left out here. `row` is the 1-based line of the file; a line with too few or too
many fields keeps its number and has null in every other column, and screening accounts for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from movielens_recsys.errors import ReadError
from movielens_recsys.schema import Column

ROW = "row"
ORDER = (Column.USER, Column.ITEM, Column.RATING, Column.TIMESTAMP)
_NO_SEPARATOR = "\x1f"
"""A byte that no text file holds: splitting at it gives whole lines."""


def read_lines(
    path: Path,
    separator: str,
    positions: Mapping[Column, int],
    *,
    n_fields: int,
    header_lines: int = 0,
    as_text: frozenset[Column] = frozenset(),
) -> pl.DataFrame:
    """Read a delimited file without quotes.

    Parameters
    ----------
    path
        The file; line ends may be LF or CRLF, blank lines are passed over.
    separator
        What stands between two fields, of any length.
    positions
        Which field (from 0) is which column; ``timestamp`` may be absent.
    n_fields
        The number of fields that every line must have.
    header_lines
        Lines to pass over at the start.
    as_text
        The columns to keep as text; all others must be numbers.

    Raises
    ------
    ReadError
        The file is empty or cannot be read as lines of text.
    """
    try:
        lines = pl.scan_csv(
            path,
            has_header=False,
            separator=_NO_SEPARATOR,
            quote_char=None,
            schema={"line": pl.String},
            encoding="utf8-lossy",
            skip_rows=header_lines,
            row_index_name=ROW,
            row_index_offset=1 + header_lines,
        )
        fields = pl.col("line").str.split(separator)
        well_formed = pl.when(pl.col("fields").list.len() == n_fields)
        columns = {
            column: well_formed.then(pl.col("fields").list.get(position, null_on_oob=True))
            for column, position in positions.items()
        }
        return (
            lines.filter(pl.col("line").str.strip_chars() != "")
            .select(ROW, fields=fields)
            .select(ROW, *(parsed(column, text, column in as_text) for column, text in columns.items()))
            .collect(engine="streaming")
        )
    except pl.exceptions.NoDataError as exc:
        raise empty_file(path) from exc
    except pl.exceptions.PolarsError as exc:
        raise unreadable(path, exc) from exc


def parsed(column: Column, text: pl.Expr, as_text: bool = False) -> pl.Expr:
    """Turn the text of a field into the column's type; null where it does not say a value.

    Whole numbers may be written with a fraction of zero ("12.0").
    """
    text = text.str.strip_chars()
    if as_text:
        return pl.when(text != "").then(text).alias(column)
    if column is Column.RATING:
        return text.cast(pl.Float64, strict=False).fill_nan(None).alias(column)
    return whole_number(text).alias(column)


def whole_number(text: pl.Expr) -> pl.Expr:
    """Parse "12" and "12.0" as 12, anything else as null."""
    number = text.cast(pl.Float64, strict=False)
    exact = (number == number.floor()) & (number.abs() < 2**53)
    return pl.coalesce(
        text.cast(pl.Int64, strict=False), pl.when(exact).then(number.cast(pl.Int64, strict=False))
    )


def empty_file(path: Path) -> ReadError:
    """The error for a file without a single row."""
    return ReadError(f"{path} is empty", expected="at least one rating", next_step="check the file")


def unreadable(path: Path, exc: Exception) -> ReadError:
    """The error for a file whose bytes are not what its name promises."""
    reason = str(exc).strip().split("\n")[0][:160]
    return ReadError(f"{path} cannot be read: {reason}", next_step="check that the file is whole and UTF-8")
