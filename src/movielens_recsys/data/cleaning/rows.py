"""Cleaning of the rows of a file before they become `Ratings`: each is kept, repaired or rejected."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaError, SchemaErrors

from movielens_recsys.data.cleaning.repairs import ROW, drop_duplicates, repair_times
from movielens_recsys.data.cleaning.scale_inference import infer_scale
from movielens_recsys.data.scale import Scale
from movielens_recsys.errors import ReadError, shorten
from movielens_recsys.schema import Column, Finding, Severity

BadRows = Literal["refuse", "reject"]
_EXPLAINED = {
    "user_missing": "the user id is missing",
    "user_negative": "the user id is negative",
    "item_missing": "the item id is missing",
    "item_negative": "the item id is negative",
    "rating_missing": "the rating is missing or not a number",
    "rating_out_of_scale": "the rating is outside the scale",
    "rating_off_step": "the rating is between two steps of the scale",
}


@dataclass(frozen=True, eq=False)
class CleanedRows:
    """The rows that were kept, and the number of all others by reason.

    Attributes
    ----------
    frame
        The kept rows in file order, columns as given; times in seconds, 0 where missing. A column of
        times without a single value is dropped.
    scale
        The scale that was given, or the inferred one.
    rejected
        Number of rejected rows by reason; rows read = rows kept + the sum, exactly.
    findings
        Rejections, repairs and the inference of the scale.
    """

    frame: pl.DataFrame
    scale: Scale
    rejected: dict[str, int]
    findings: tuple[Finding, ...]


def clean_rows(
    frame: pl.DataFrame,
    scale: Scale | None,
    *,
    bad_rows: BadRows = "refuse",
    source: str = "",
    now: int | None = None,
) -> CleanedRows:
    """Separate good rows from bad ones, repair what has one obvious repair, and count everything.

    Parameters
    ----------
    frame
        Columns ``row`` (1-based line number), ``user`` and ``item`` (Int64 or String), ``rating``
        (Float64, null where it could not be parsed) and, where the file has it, ``timestamp`` (Int64).
    scale
        The legal ratings; None infers them from the ratings (see `infer_scale`).
    bad_rows
        ``refuse`` raises at the first bad row; ``reject`` leaves bad rows out and counts them. Bad
        are: a missing or negative id, a rating that is no finite number, out of scale or off its step.
    source
        The file's name, for messages.
    now
        Present time in seconds since 1970, to find times in the future; None takes the system clock.

    Notes
    -----
    Two repairs are always made and reported. Of several ratings of one user for one item the latest
    is kept (by time, then by line); the others are rejected as ``duplicate``. Times in milli-, micro-
    or nanoseconds, recognised by their size alone, become seconds.

    Raises
    ------
    ReadError
        Naming the file, the line, the value and the reason; or because no row is left.
    """
    _check_columns(frame, source)
    rows_read = frame.height
    rejected: dict[str, int] = {}
    frame = _reject(frame, _id_faults(frame) | _number_faults(), rejected, bad_rows, source)
    _require_rows(frame, rows_read, source)
    findings = []
    if scale is None:
        scale = infer_scale(frame[Column.RATING], source)
        findings.append(_inferred(scale))
    frame = _reject(frame, _scale_faults(scale), rejected, bad_rows, source)
    _require_rows(frame, rows_read, source)
    findings += [_rejection(reason, count) for reason, count in rejected.items()]
    frame, time_findings = repair_times(frame, int(time.time()) if now is None else now)
    frame, duplicates, duplicate_findings = drop_duplicates(frame)
    if duplicates:
        rejected["duplicate"] = duplicates
    return CleanedRows(frame, scale, rejected, (*findings, *time_findings, *duplicate_findings))


def _check_columns(frame: pl.DataFrame, source: str) -> None:
    ids = {
        name: pa.Column(pl.String if frame.schema.get(name) == pl.String else pl.Int64, nullable=True)
        for name in (Column.USER, Column.ITEM)
    }
    schema = pa.DataFrameSchema(
        {
            ROW: pa.Column(frame.schema.get(ROW, pl.Int64)),
            **ids,
            Column.RATING: pa.Column(pl.Float64, nullable=True),
            Column.TIMESTAMP: pa.Column(pl.Int64, nullable=True, required=False),
        },
        strict=True,
    )
    try:
        schema.validate(frame)
    except (SchemaError, SchemaErrors) as exc:
        found = ", ".join(f"{name} ({dtype})" for name, dtype in frame.schema.items())
        raise ReadError(
            f"{source or 'the table'} has the columns {shorten(found, 200)}",
            expected="row, user and item (whole numbers or text), rating (number), timestamp (whole number)",
            next_step="map the file's columns to these",
        ) from exc


def _id_faults(frame: pl.DataFrame) -> dict[str, pl.Expr]:
    faults = {}
    for name in (Column.USER, Column.ITEM):
        column = pl.col(name)
        if frame.schema[name] == pl.String:
            faults[f"{name}_missing"] = column.is_null() | (column.str.strip_chars() == "")
        else:
            faults[f"{name}_missing"] = column.is_null()
            faults[f"{name}_negative"] = column < 0
    return faults


def _number_faults() -> dict[str, pl.Expr]:
    return {"rating_missing": pl.col(Column.RATING).is_null() | ~pl.col(Column.RATING).is_finite()}


def _scale_faults(scale: Scale) -> dict[str, pl.Expr]:
    rating = pl.col(Column.RATING)
    tolerance = 1e-6 * (scale.step or scale.span)
    faults = {"rating_out_of_scale": ~rating.is_between(scale.minimum - tolerance, scale.maximum + tolerance)}
    if scale.step is not None:
        steps = (rating - scale.minimum) / scale.step
        faults["rating_off_step"] = (steps - steps.round()).abs() > 1e-6
    return faults


def _reject(
    frame: pl.DataFrame,
    faults: dict[str, pl.Expr],
    rejected: dict[str, int],
    bad_rows: BadRows,
    source: str,
) -> pl.DataFrame:
    """Return the rows without fault, adding the others to ``rejected`` under the first fault that applies."""
    if not frame.select(pl.any_horizontal(fault.any() for fault in faults.values())).item():
        return frame
    reason = pl.coalesce(pl.when(fault).then(pl.lit(name)) for name, fault in faults.items())
    checked = frame.with_columns(reason.alias("reason"))
    bad = checked.filter(pl.col("reason").is_not_null())
    if bad_rows == "refuse":
        raise _refusal(bad.row(0, named=True), bad.height, source)
    rejected.update(bad["reason"].value_counts(sort=True).iter_rows())
    return checked.filter(pl.col("reason").is_null()).drop("reason")


def _refusal(row: dict[str, object], n_bad: int, source: str) -> ReadError:
    reason = str(row["reason"])
    value = row[reason.partition("_")[0]]
    where = f"{source} line {row[ROW]}" if source else f"line {row[ROW]}"
    more = f" (and {n_bad - 1} more bad rows)" if n_bad > 1 else ""
    return ReadError(
        f"{where}: {_EXPLAINED[reason]}, found {shorten(repr(value))}{more}",
        next_step="correct the file, or leave such rows out with --on-bad-rows reject",
    )


def _require_rows(frame: pl.DataFrame, rows_read: int, source: str) -> None:
    if frame.is_empty():
        found = f"all {rows_read} rows are bad" if rows_read else "there are no rows"
        raise ReadError(
            f"{source or 'the table'}: {found}",
            expected="at least one rating",
            next_step="check the file, its separator and its column mapping",
        )


def _rejection(reason: str, count: int) -> Finding:
    advice = f"{count} rows were left out because {_EXPLAINED[reason]}; correct them at their source"
    return Finding(f"rows_with_{reason}", float(count), 0.0, Severity.WARNING, advice)


def _inferred(scale: Scale) -> Finding:
    if scale.step is None:
        advice = (
            f"the ratings have no common step: the continuous scale {scale.minimum:g} to {scale.maximum:g} "
            "was taken from the lowest and the highest; state the true bounds with --scale LOWEST:HIGHEST"
        )
        return Finding("scale_inferred", 0.0, None, Severity.WARNING, advice)
    advice = (
        f"the scale {scale} was inferred from the ratings; if the true one is wider, state it with "
        "--scale LOWEST:HIGHEST:STEP"
    )
    return Finding("scale_inferred", float(scale.n_levels), None, Severity.INFO, advice)
