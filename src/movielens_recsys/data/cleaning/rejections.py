"""Bad rows: the first is refused by its line and what stands there, or all are left out and counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import polars as pl

from movielens_recsys.data.counted import counted
from movielens_recsys.errors import ReadError, shorten
from movielens_recsys.schema import Column, Finding, Severity

BadRows = Literal["refuse", "reject"]
ROW = "row"
"""The column of 1-based numbers that goes with a file's rows until they are cleaned."""

REASONS = {
    "row_fields": "the number of fields is wrong",
    "row_unclosed_quote": "a quotation mark opens a field that is never closed",
    "row_quote_over_rows": "a quotation mark opens a field over lines that are rows by themselves",
    "user_missing": "the user id is missing",
    "item_missing": "the item id is missing",
    "rating_missing": "the rating is missing",
    "rating_unreadable": "the rating is not a number",
    "timestamp_unreadable": "the time cannot be read",
    "timestamp_not_as_stated": "the time does not fit the stated format",
    "user_unreadable": "the user id is no whole number, as all others are",
    "item_unreadable": "the item id is no whole number, as all others are",
    "rating_out_of_scale": "the rating is outside the scale",
    "rating_off_step": "the rating is between two steps of the scale",
    "duplicate": "a later rating of the same user for the same item replaces them",
    "unrated": "their number stands for: not rated",
    "no_interaction": "their number says that nothing happened",
    "repeated": "they repeat an interaction of the same user with the same item",
}
"""Why a row is bad, the first that applies first."""

_NUMBERS = {"row_fields", "timestamp_not_as_stated", "rating_out_of_scale", "rating_off_step"}
"""Reasons whose finding is a number or a phrase, shown as it is; for the others it is text of the file."""
_REJECT = "or leave such rows out with --on-bad-rows reject"
_NEXT_STEPS = {
    "row_quote_over_rows": f"double the quotation mark and enclose its field, {_REJECT}",
    "row_unclosed_quote": f"close it, {_REJECT}",
    "timestamp_unreadable": "state how times are written with --time-format, leave the time out with "
    f"--columns {{others}}, {_REJECT}",
    "timestamp_not_as_stated": f"correct the file or --time-format, {_REJECT}",
}


class Rejections:
    """The rows that are left out of one file: counted by reason, or refused at the first.

    ``unit`` is what the row numbers count, lines or rows.
    """

    def __init__(self, bad_rows: BadRows, source: str, unit: str = "line") -> None:
        self.counts: dict[str, int] = {}
        self.findings: list[Finding] = []
        self._bad_rows = bad_rows
        self._source = source
        self._unit = unit

    def drop(self, frame: pl.DataFrame, faults: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of ``frame`` that have none of ``faults`` (columns ``row, reason, found``).

        Raises
        ------
        ReadError
            There is a fault, and bad rows are refused.
        """
        if faults.is_empty():
            return frame
        order = pl.col("reason").replace_strict(list(REASONS), range(len(REASONS)), return_dtype=pl.Int32)
        bad = faults.sort(ROW, order).unique(ROW, keep="first", maintain_order=True)
        if self._bad_rows == "refuse":
            raise self._refusal(bad, frame)
        counts = bad["reason"].value_counts(sort=True)
        for reason, count in counts.iter_rows():
            self.counts[reason] = count
            first = bad.filter(pl.col("reason") == reason).row(0, named=True)
            advice = f"{_were(count)} left out because {REASONS[reason]}, the first on {self._found(first)}"
            self.findings.append(Finding(f"rows_with_{reason}", float(count), 0.0, Severity.WARNING, advice))
        rows = bad.select(pl.col(ROW).cast(frame.schema[ROW]))
        return frame.join(rows, on=ROW, how="anti", maintain_order="left")

    def exclude(self, frame: pl.DataFrame, rows: pl.Expr, reason: str) -> pl.DataFrame:
        """Return the frame without ``rows``, which are no fault of the file; they are counted too."""
        kept = frame.filter(~rows)
        count = frame.height - kept.height
        if count:
            self.counts[reason] = count
            advice = f"{_were(count)} left out because {REASONS[reason]}"
            self.findings.append(Finding(f"rows_{reason}", float(count), None, Severity.INFO, advice))
        return kept

    def require_any_row(self, frame: pl.DataFrame, rows_read: int) -> None:
        """Refuse a table of which nothing is left."""
        if frame.is_empty():
            found = f"all {rows_read} rows are bad" if rows_read else "there are no rows"
            reason = next(iter(self.counts), "")
            why = "".join(f": {finding.advice}" for finding in self.findings[:1])
            raise ReadError(
                f"{self._source or 'the table'}: {found}{why}",
                expected="at least one rating",
                next_step=_next_step(reason, frame, "check the file, its separator and its column mapping"),
            )

    def _refusal(self, bad: pl.DataFrame, frame: pl.DataFrame) -> ReadError:
        first = bad.row(0, named=True)
        reason = first["reason"]
        where = f"{self._source} {self._unit} {first[ROW]}".strip()
        others = bad.height - 1
        more = f" (and {counted(others, 'more bad row', 'more bad rows')})" if others else ""
        found = _shown(first)
        return ReadError(
            f"{where}: {REASONS[reason]}{f', found {found}' if found else ''}{more}",
            next_step=_next_step(reason, frame, f"correct the file, {_REJECT}"),
        )

    def _found(self, fault: dict[str, Any]) -> str:
        found = _shown(fault)
        return f"{self._unit} {fault[ROW]}{f': found {found}' if found else ''}"


def faults_of(frame: pl.DataFrame, faults: Mapping[str, pl.Expr], found: pl.Expr) -> pl.DataFrame:
    """Return the rows for which an expression is true as ``row, reason, found``, the first that is true."""
    reason = pl.coalesce(pl.when(fault).then(pl.lit(name)) for name, fault in faults.items())
    bad = frame.lazy().filter(pl.any_horizontal(*faults.values()))
    return bad.select(ROW, reason=reason, found=found.cast(pl.String)).collect()


def _next_step(reason: str, frame: pl.DataFrame, otherwise: str) -> str:
    """Return the advice for a reason; it names the columns that ``frame`` has beside the time."""
    others = ",".join(f"{column}=NAME" for column in frame.columns if column not in {ROW, Column.TIMESTAMP})
    return _NEXT_STEPS.get(reason, otherwise).format(others=others)


def _were(count: int) -> str:
    return counted(count, "row was", "rows were")


def _shown(fault: dict[str, Any]) -> str:
    found = fault["found"] or ""
    return found if fault["reason"] in _NUMBERS or not found else repr(shorten(found))
