"""From physical lines to records: one line each, or several where an enclosed field runs over lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from movielens_recsys.data.readers.dialect import Dialect, field_pattern
from movielens_recsys.data.readers.faults import Fault, fault_frame
from movielens_recsys.data.readers.source import TextSource
from movielens_recsys.schema import Finding, Severity

ROW = "row"
LINE = "line"


@dataclass(frozen=True, eq=False)
class Records:
    """The records of a file, blank lines among them.

    Attributes
    ----------
    frame
        Columns ``row`` (the physical line, from 1, at which the record starts) and ``line`` (its text;
        null for a blank line).
    separator
        The text between two fields.
    enclosed
        Whether fields may be enclosed in quotation marks.
    extra_lines
        Number of lines that belong to a record that started on an earlier one.
    faults
        Records that are none, because a quotation mark in them is not what it seems (see `fault_frame`).
    findings
        Records that run over lines.
    """

    frame: pl.LazyFrame
    separator: str
    enclosed: bool = False
    extra_lines: int = 0
    faults: pl.DataFrame = field(default_factory=lambda: fault_frame([]))
    findings: tuple[Finding, ...] = ()


def read_records(source: TextSource, dialect: Dialect) -> Records:
    """Return the records after the header.

    Quotation marks enclose fields only in files with commas or semicolons, and only at the start of a field
    (RFC 4180); elsewhere they are plain characters, and each line is a record.
    """
    lines = pl.scan_csv(
        source.content,
        has_header=False,
        separator=source.unused,
        quote_char=None,
        schema={LINE: pl.String},
        encoding="utf8-lossy",
        skip_rows=dialect.header_lines,
        row_index_name=ROW,
        row_index_offset=1 + dialect.header_lines,
    ).with_columns(pl.col(LINE).str.strip_chars_end("\r"))
    # A line of tabs between tabs is a row without values; elsewhere it is blank.
    content = pl.col(LINE).str.strip_chars(" \t".replace(dialect.separator, ""))
    lines = lines.with_columns(pl.when(content != "").then(pl.col(LINE)))
    if not (source.quotes and dialect.quoting):
        return Records(lines, dialect.separator)
    return _joined(lines.collect(engine="streaming"), dialect)


def _joined(lines: pl.DataFrame, dialect: Dialect) -> Records:
    """Join the lines that an enclosed field runs over; what has two readings, or none, becomes faults."""
    separator = re.escape(dialect.separator)
    if not lines[LINE].str.contains('"', literal=True).any():
        return Records(lines.lazy(), dialect.separator)
    if lines[LINE].str.contains(rf'^"[^"]*"(?:{separator}"[^"]*")*$').all():
        # Every field of every line is enclosed and has no mark inside: split between the marks.
        inner = pl.col(LINE).str.slice(1).str.head(-1)
        return Records(lines.lazy().with_columns(inner), f'"{dialect.separator}"')
    spans, unclosed = _spans(lines[LINE], dialect.separator)
    faults = [
        Fault(int(lines[ROW][line]), "row_unclosed_quote", lines[LINE][line] or "") for line in unclosed
    ]
    text = lines[LINE].to_list() if spans else []
    joined: dict[int, str] = {}
    swallowed = np.zeros(lines.height, dtype=bool)
    for start, end in spans:
        parts = [part or "" for part in text[start : end + 1]]
        if all(part.count(dialect.separator) == len(dialect.names) - 1 for part in parts):
            rows = range(start, end + 1)
            faults += [Fault(int(lines[ROW][row]), "row_quote_over_rows", text[row]) for row in rows]
        else:
            joined[start] = "\n".join(parts)
            swallowed[start + 1 : end + 1] = True
    line = lines[LINE].scatter(list(joined), list(joined.values())) if joined else lines[LINE]
    return Records(
        lines.with_columns(line).filter(pl.Series(~swallowed)).lazy(),
        dialect.separator,
        enclosed=True,
        extra_lines=int(swallowed.sum()),
        faults=fault_frame(faults),
        findings=_over_lines([int(lines[ROW][start]) for start in joined], swallowed),
    )


def _spans(lines: pl.Series, separator: str) -> tuple[list[tuple[int, int]], list[int]]:
    """Return first and last line of each record over several lines, and the lines with an unclosed mark.

    Whether a line is a whole record, and whether it closes a field that is open at its start, each depends
    on that line alone. So a record runs from the first line that is not whole to the next that closes.
    """
    column, other = lines.to_frame(LINE).lazy(), re.escape(separator)
    fields = rf"{field_pattern(separator)}(?:{other}{field_pattern(separator)})*$"
    closes = rf'^[^"]*(?:""[^"]*)*"(?:{other}{fields[:-1]})?$'
    quoted = (
        column.with_row_index("position")
        .filter(pl.col(LINE).str.contains('"', literal=True))
        .select(
            "position",
            whole=pl.col(LINE).str.contains(f"^{fields}"),
            closes=pl.col(LINE).str.contains(closes),
        )
        .collect()
    )
    closing: NDArray[np.int64] = quoted.filter("closes")["position"].to_numpy()
    spans: list[tuple[int, int]] = []
    unclosed: list[int] = []
    for start in quoted.filter(~pl.col("whole"))["position"].to_list():
        if spans and start <= spans[-1][1]:
            continue
        following = int(np.searchsorted(closing, start, side="right"))
        if following == len(closing):
            unclosed.append(start)
        else:
            spans.append((start, int(closing[following])))
    return spans, unclosed


def _over_lines(starts: list[int], swallowed: NDArray[np.bool_]) -> tuple[Finding, ...]:
    if not starts:
        return ()
    shown = ", ".join(str(line) for line in starts[:5]) + (", ..." if len(starts) > 5 else "")
    advice = (
        f"{len(starts)} rows hold an enclosed field that runs over lines, from line {shown}: "
        f"{int(swallowed.sum())} lines are no rows of their own; if they should be, a quotation mark is stray"
    )
    return (Finding("rows_over_lines", float(len(starts)), None, Severity.INFO, advice),)
