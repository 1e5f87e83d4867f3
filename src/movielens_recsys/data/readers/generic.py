"""Rating files of any origin: CSV, TSV or Parquet with a header, whose columns are mapped to ours."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from movielens_recsys.data.readers.delimited import ROW, empty_file, read_delimited, unreadable
from movielens_recsys.errors import ReadError, nearest, shorten
from movielens_recsys.schema import Column

_ALIASES = {
    Column.USER: ("user", "userid", "uid", "customer", "customerid", "reviewerid"),
    Column.ITEM: ("item", "itemid", "movie", "movieid", "iid", "product", "productid", "asin"),
    Column.RATING: ("rating", "ratings", "stars", "score", "overall"),
    Column.TIMESTAMP: ("timestamp", "time", "date", "datetime", "ratedat", "unixreviewtime"),
}
_SEPARATORS = {".csv": (",", ";"), ".tsv": ("\t",)}
_FALLBACK_SEPARATORS = ("\t", ",", ";", "|")
_WHOLE_SHARE = 0.99
_BINARY_STARTS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"PK": "a zip archive", b"\x1f\x8b": "gzip"}


def read_table(path: Path, columns: Mapping[str, str] | None) -> pl.DataFrame:
    """Read a rating table with a header.

    Ids are whole numbers if at least 99 % of them are (the others become null, and cleaning counts
    them), otherwise text. Times are seconds since 1970, or ISO 8601 dates taken as UTC.

    Parameters
    ----------
    path
        ``.parquet``, ``.csv`` (comma or semicolon), ``.tsv``, or another text file with tabs, commas,
        semicolons or bars.
    columns
        Our names (user, item, rating and, if there is one, timestamp) to the file's; None recognizes
        usual names such as ``userId`` and ``movie_id``.

    Raises
    ------
    ReadError
        The file is empty, is no text, or lacks a column.
    """
    if path.suffix in {".parquet", ".pq"}:
        return _read_parquet(path, columns)
    _refuse_binary(path)
    if _has_quotes(path):
        return _read_quoted(path, columns)
    return _typed(read_named_columns(path, columns, typed=False))


def read_named_columns(path: Path, columns: Mapping[str, str] | None, *, typed: bool = True) -> pl.DataFrame:
    """Read a file with a header and without quotes; ``typed`` is `read_delimited`'."""
    header, separator = _read_header(path)
    mapping = map_columns(header, columns, path.name)
    positions = {column: header.index(name) for column, name in mapping.items()}
    return read_delimited(path, separator, positions, n_fields=len(header), header_lines=1, typed=typed)


def map_columns(header: Sequence[str], columns: Mapping[str, str] | None, source: str) -> dict[Column, str]:
    """Return our columns with the names that they have in the file; only ``timestamp`` may be missing."""
    if columns is None:
        plain = {name.lower().replace("_", "").replace(" ", ""): name for name in reversed(header)}
        found = {
            column: next((plain[alias] for alias in aliases if alias in plain), None)
            for column, aliases in _ALIASES.items()
        }
        mapping = {column: name for column, name in found.items() if name is not None}
    else:
        mapping = {_our_column(key): name for key, name in columns.items()}
    missing = [column for column in (Column.USER, Column.ITEM, Column.RATING) if column not in mapping]
    absent = [name for name in mapping.values() if name not in header]
    if missing or absent:
        what = ", ".join(repr(name) for name in absent) if absent else " and ".join(missing)
        raise ReadError(
            f"{source} has no column {shorten(what)}; its columns are {shorten(', '.join(header), 200)}",
            expected="columns for user, item and rating",
            next_step="name them: --columns user=NAME,item=NAME,rating=NAME,timestamp=NAME",
        )
    return mapping


def _our_column(key: str) -> Column:
    try:
        return Column(key)
    except ValueError as exc:
        close = nearest(key, [column.value for column in Column])
        raise ReadError(
            f"there is no column {shorten(key)!r} to map",
            expected=", ".join(Column),
            next_step=f"did you mean {close!r}?" if close else "",
        ) from exc


def _read_header(path: Path) -> tuple[list[str], str]:
    with path.open("rb") as file:
        start = file.readline(2**20)
    try:
        line = start.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as exc:
        raise unreadable(path, exc) from exc
    if not line.strip():
        raise empty_file(path)
    separators = _SEPARATORS.get(path.suffix.lower(), _FALLBACK_SEPARATORS)
    separator = max(separators, key=line.count)
    return [name.strip() for name in next(csv.reader([line], delimiter=separator))], separator


def _refuse_binary(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(4)
    kind = next((kind for magic, kind in _BINARY_STARTS.items() if start.startswith(magic)), None)
    if kind is not None:
        raise ReadError(
            f"{path} is {kind}", expected="CSV or TSV as UTF-8, or Parquet", next_step="convert it"
        )


def _has_quotes(path: Path) -> bool:
    """Return whether the file holds a quote anywhere; the whole file must be UTF-8, for ids may be text."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    quotes = False
    try:
        with path.open("rb") as file:
            while chunk := file.read(2**22):
                decoder.decode(chunk)
                quotes = quotes or b'"' in chunk
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as exc:
        raise unreadable(path, exc) from exc
    return quotes


def _read_quoted(path: Path, columns: Mapping[str, str] | None) -> pl.DataFrame:
    header, separator = _read_header(path)
    mapping = map_columns(header, columns, path.name)
    names = [f"field_{position}" for position in range(len(header))]
    try:
        frame = pl.read_csv(
            path,
            has_header=False,
            skip_rows=1,
            separator=separator,
            schema=dict.fromkeys(names, pl.String),
            row_index_name=ROW,
            row_index_offset=2,
        )
    except pl.exceptions.NoDataError as exc:
        raise empty_file(path) from exc
    except pl.exceptions.PolarsError as exc:
        raise _ragged(path, separator, len(header)) or unreadable(path, exc) from exc
    fields = {column: pl.col(names[header.index(name)]) for column, name in mapping.items()}
    filled = ~pl.all_horizontal(pl.col(names).is_null())
    return _typed(frame.filter(filled).select(ROW, **fields))


def _ragged(path: Path, separator: str, n_fields: int) -> ReadError | None:
    """Return the error for the first row with too many fields, if there is one."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=separator)
        for row in rows:
            if len(row) > n_fields:
                return ReadError(
                    f"{path}, line {rows.line_num}: {len(row)} fields",
                    expected=f"{n_fields}, as in the header",
                    next_step="correct the line; a field that holds the separator must be quoted",
                )
    return None


def _read_parquet(path: Path, columns: Mapping[str, str] | None) -> pl.DataFrame:
    try:
        schema = pl.read_parquet_schema(path)
        mapping = map_columns(list(schema), columns, path.name)
        frame = pl.read_parquet(path, columns=list(mapping.values()))
    except (pl.exceptions.PolarsError, OSError) as exc:
        raise unreadable(path, exc) from exc
    frame = frame.select(
        _from_values(column, pl.col(name), schema[name]).alias(column) for column, name in mapping.items()
    ).with_row_index(ROW, offset=1)
    if frame.is_empty():
        raise empty_file(path)
    return _typed(frame)


def _from_values(column: Column, values: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype.is_temporal():
        return values.cast(pl.Datetime("us"), strict=False).dt.epoch("s")
    if dtype.is_integer() and column is not Column.RATING:
        return values.cast(pl.Int64, strict=False)
    return values.cast(pl.Float64 if column is Column.RATING else pl.String, strict=False)


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    """Parse each column that was read as text to the type of its values; null where that fails."""
    texts = pl.col(pl.String).str.strip_chars()
    frame = frame.with_columns(pl.when(texts != "").then(texts).name.keep())
    parse = {Column.USER: _ids, Column.ITEM: _ids, Column.RATING: _ratings, Column.TIMESTAMP: _times}
    return frame.with_columns(
        parse[Column(name)](frame[name]) for name, dtype in frame.schema.items() if dtype == pl.String
    )


def _ids(texts: pl.Series) -> pl.Series:
    numbers = texts.cast(pl.Int64, strict=False)
    if numbers.null_count() > texts.null_count():
        # "12.0" is what 12 becomes in a column that also has gaps.
        fractions = texts.cast(pl.Float64, strict=False)
        exact = (fractions == fractions.floor()) & (fractions.abs() < 2**53)
        numbers = numbers.fill_null(fractions.set(~exact.fill_null(False), None).cast(pl.Int64))
    present = len(texts) - texts.null_count()
    return numbers if len(numbers) - numbers.null_count() >= max(1.0, _WHOLE_SHARE * present) else texts


def _ratings(texts: pl.Series) -> pl.Series:
    return texts.cast(pl.Float64, strict=False)


def _times(texts: pl.Series) -> pl.Series:
    seconds = texts.cast(pl.Float64, strict=False).floor().cast(pl.Int64, strict=False)
    if seconds.null_count() == texts.null_count():
        return seconds
    dates = texts.str.to_datetime(time_unit="us", strict=False, time_zone="UTC").dt.epoch("s")
    return seconds.fill_null(dates)
