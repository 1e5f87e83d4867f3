"""Text files with one rating a line: from records to columns of values, with an account of every line.

A column whose every field is a number that is written back as it stands is typed while the file is read.
Any other column is read once more, as text, and decided upon as a whole (`type_columns`).
"""

from __future__ import annotations

import polars as pl

from movielens_recsys.data.readers.account import ReadingAccount
from movielens_recsys.data.readers.columns import RATING_TABLE, TableKind
from movielens_recsys.data.readers.dialect import Dialect, fields_pattern, find_dialect
from movielens_recsys.data.readers.faults import fault_frame
from movielens_recsys.data.readers.options import ReadOptions
from movielens_recsys.data.readers.records import LINE, ROW, Records, read_records
from movielens_recsys.data.readers.rows import Fields, RawRows, type_columns, undecodable_elsewhere
from movielens_recsys.data.readers.source import TextSource, empty_file
from movielens_recsys.data.readers.values.column import TypedColumn
from movielens_recsys.data.readers.values.epochs import UNITS, is_seconds
from movielens_recsys.data.readers.values.ids import is_plain_whole
from movielens_recsys.data.readers.values.ratings import finite_number
from movielens_recsys.errors import ReadError
from movielens_recsys.schema import Column

_FOUND, _BLANK = "found", "blank"
_PLAIN_FORMS = {
    Column.USER: "whole numbers",
    Column.ITEM: "whole numbers",
    Column.RATING: "numbers",
    Column.TIMESTAMP: UNITS["seconds"].form,
}


def read_delimited(source: TextSource, options: ReadOptions, kind: TableKind = RATING_TABLE) -> RawRows:
    """Read a text file.

    Raises
    ------
    ReadError
        Its layout or the format of a column cannot be decided, or its lines do not add up.
    """
    dialect = find_dialect(source, options, kind)
    records = read_records(source, dialect)
    texts = _texts(records, dialect)
    try:
        quick = texts.select(ROW, _BLANK, _FOUND, *_quick(dialect, options)).collect(engine="streaming")
    except pl.exceptions.NoDataError as exc:
        raise empty_file(source.path) from exc
    blank_lines = int(quick[_BLANK].sum())
    _require_every_line(source, dialect.header_lines + quick.height + records.extra_lines)
    if blank_lines:
        quick = quick.filter(~pl.col(_BLANK))
    if quick.is_empty():
        raise empty_file(source.path)
    ragged = _ragged(quick, len(dialect.names))
    broken = pl.concat([records.faults, ragged])
    usable = ~quick[ROW].is_in(broken["row"].implode()) if broken.height else quick[ROW].is_not_null()
    fields = Fields(
        source.path,
        quick[ROW],
        usable,
        {column: dialect.names[position] for column, position in dialect.mapping.items()},
        {
            column: TypedColumn(quick[column], _PLAIN_FORMS[column])
            for column in dialect.mapping
            if quick[_plain(column)].all()
        },
        _texts_of(texts, [column for column in dialect.mapping if not quick[_plain(column)].all()], usable),
        undecodable=source.undecodable_line is not None,
        plain_quotes=source.quotes and not records.enclosed,
    )
    typed = type_columns(fields, options)
    account = ReadingAccount(
        form(source, dialect),
        source.lines,
        dialect.header_lines,
        blank_lines,
        quick.height + records.extra_lines,
        typed.columns,
        tuple(
            name for position, name in enumerate(dialect.names) if position not in dialect.mapping.values()
        ),
    )
    faults = pl.concat([broken, typed.faults])
    findings = (*records.findings, *undecodable_elsewhere(source.undecodable_line), *typed.findings)
    return RawRows(typed.frame, faults, findings, account)


def _texts(records: Records, dialect: Dialect) -> pl.LazyFrame:
    """Return the mapped columns as text, null in blank lines and in lines with another number of fields."""
    separator = records.separator
    if records.enclosed:
        fields = (pl.lit(separator) + pl.col(LINE)).str.extract_all(fields_pattern(separator).pattern)
    else:
        fields = pl.col(LINE).str.split(separator)
    whole = pl.when(pl.col("fields").list.len() == len(dialect.names))
    columns = []
    for column, position in dialect.mapping.items():
        field = pl.col("fields").list.get(position, null_on_oob=True)
        if records.enclosed:
            field = _unenclosed(field.str.slice(len(separator)))
        columns.append(whole.then(field).alias(column))
    return records.frame.with_columns(fields=fields).select(
        ROW, pl.col(LINE).is_null().alias(_BLANK), pl.col("fields").list.len().alias(_FOUND), *columns
    )


def _unenclosed(field: pl.Expr) -> pl.Expr:
    field = field.str.strip_chars()
    enclosed = field.str.starts_with('"') & field.str.ends_with('"') & (field.str.len_bytes() > 1)
    inner = field.str.slice(1).str.head(-1).str.replace_all('""', '"', literal=True)
    return pl.when(enclosed).then(inner).otherwise(field)


def _quick(dialect: Dialect, options: ReadOptions) -> list[pl.Expr]:
    """Return each column as numbers, and whether every one is plain: written in the one usual way."""
    columns = []
    for column in dialect.mapping:
        text = pl.col(column)
        if column is Column.RATING:
            number = finite_number(text)
            plain = number.is_not_null() & pl.lit(options.decimal != ",")
        else:
            number = text.cast(pl.Int64, strict=False)
            plain = is_plain_whole(text, number)
        if column is Column.TIMESTAMP:
            plain = plain & is_seconds(number) & pl.lit(options.time_format in {None, "seconds"})
        unread = pl.col(_FOUND).is_null() | (pl.col(_FOUND) != len(dialect.names))
        columns += [number.alias(column), (plain.fill_null(False) | unread).alias(_plain(column))]
    return columns


def _plain(column: Column) -> str:
    return f"{column}_plain"


def _texts_of(texts: pl.LazyFrame, columns: list[Column], usable: pl.Series) -> dict[Column, pl.Series]:
    if not columns:
        return {}
    frame = texts.filter(~pl.col(_BLANK)).select(columns).collect(engine="streaming")
    return {column: frame[column].set(~usable, None) for column in columns}


def _ragged(quick: pl.DataFrame, n_fields: int) -> pl.DataFrame:
    found = pl.concat_str(pl.col(_FOUND), pl.lit(f" fields instead of {n_fields}"))
    rows = quick.lazy().filter(pl.col(_FOUND) != n_fields)
    faults = rows.select(pl.col(ROW).cast(pl.UInt32), reason=pl.lit("row_fields"), found=found)
    return pl.concat([fault_frame([]), faults.collect()])


def _require_every_line(source: TextSource, lines: int) -> None:
    if lines != source.lines:
        raise ReadError(
            f"{source.path} has {source.lines} lines, but {lines} were read",
            expected="every line",
            next_step="write the file anew, in UTF-8 and with one kind of line end",
        )


def form(source: TextSource, dialect: Dialect) -> str:
    """Return how a text file is written, in words."""
    names = f"names on line {dialect.header_lines}" if dialect.header else "no names"
    separator = {"\t": "a tab", " ": "a space"}.get(dialect.separator, f"'{dialect.separator}'")
    return "; ".join([f"text, separated by {separator}, {names}", *source.changes])
