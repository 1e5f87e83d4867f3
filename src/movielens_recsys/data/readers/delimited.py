"""Delimited rating files as columns ``row, user, item, rating, timestamp``, null where a field is unreadable.

Nothing is repaired or left out here. `row` is the 1-based line of the file; a line with too few or too
many fields keeps its number and has null in every other column, and cleaning rejects and counts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from movielens_recsys.errors import ReadError
from movielens_recsys.schema import Column

ROW = "row"
ORDER = (Column.USER, Column.ITEM, Column.RATING, Column.TIMESTAMP)
_NO_SEPARATOR = "\x1f"
"""A byte that no text file holds: split at it, each line is one field."""


def read_delimited(
    path: Path,
    separator: str,
    positions: Mapping[Column, int],
    *,
    n_fields: int,
    header_lines: int = 0,
    typed: bool = True,
) -> pl.DataFrame:
    """Read a delimited file without quotes.

    Parameters
    ----------
    path
        The file; line ends may be LF or CRLF, blank lines are skipped.
    separator
        The text between two fields, of any length.
    positions
        Which field (from 0) is which column; ``timestamp`` may be absent.
    n_fields
        The number of fields that every line must have.
    header_lines
        Lines to skip at the start.
    typed
        Give ids and times as Int64 and ratings as Float64; False leaves every field as it is written.

    Raises
    ------
    ReadError
        The file is empty or cannot be read as lines of text.
    """
    fields = pl.col("fields")
    whole = pl.when(fields.list.len() == n_fields)
    columns = [
        whole.then(fields.list.get(position, null_on_oob=True)).alias(column)
        for column, position in positions.items()
    ]
    try:
        frame = (
            pl.scan_csv(
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
            .with_columns(pl.col("line").str.strip_chars(" \r"))
            .filter(pl.col("line") != "")
            .select(ROW, fields=pl.col("line").str.split(separator))
            .select(ROW, *columns)
            .with_columns(_numbers(positions) if typed else [])
            .collect(engine="streaming")
        )
    except pl.exceptions.NoDataError as exc:
        raise empty_file(path) from exc
    except pl.exceptions.PolarsError as exc:
        raise unreadable(path, exc) from exc
    if frame.is_empty():
        raise empty_file(path)
    return frame


def _numbers(columns: Iterable[Column]) -> list[pl.Expr]:
    kinds = {column: pl.Float64 if column is Column.RATING else pl.Int64 for column in columns}
    return [pl.col(column).cast(kind, strict=False) for column, kind in kinds.items()]


def empty_file(path: Path) -> ReadError:
    """The error for a file without a single row."""
    return ReadError(f"{path} holds no rows", expected="at least one rating", next_step="check the file")


def unreadable(path: Path, exc: Exception) -> ReadError:
    """The error for a file whose bytes are not what its name promises."""
    reason = str(exc).strip().split("\n")[0][:160]
    kind = "Parquet" if path.suffix in {".parquet", ".pq"} else "text in UTF-8"
    return ReadError(f"{path} cannot be read: {reason}", next_step=f"check that it is whole, and {kind}")
