"""Cleaning of the rows of a file before they become `Ratings`: each is kept, repaired or rejected."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaError, SchemaErrors

from movielens_recsys.data.cleaning.interactions import INTERACTION_SCALE, as_interactions, with_ratings
from movielens_recsys.data.cleaning.rejections import ROW, BadRows, Rejections, faults_of
from movielens_recsys.data.cleaning.repairs import drop_duplicates, repair_times
from movielens_recsys.data.cleaning.scale_inference import distant_end, infer_scale, suspicious_ratings
from movielens_recsys.data.counted import counted
from movielens_recsys.data.scale import Scale
from movielens_recsys.errors import ReadError, shorten
from movielens_recsys.schema import Column, Finding, Severity


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
    implicit
        Whether the rows are interactions; their ratings are then 1.
    rejected
        Number of rejected rows by reason; rows read = rows kept + the sum, exactly.
    findings
        Rejections, repairs and the inference of the scale.
    """

    frame: pl.DataFrame
    scale: Scale
    rejected: dict[str, int]
    findings: tuple[Finding, ...]
    implicit: bool = False


def clean_rows(
    frame: pl.DataFrame,
    scale: Scale | None,
    *,
    implicit: bool = False,
    unrated: float | None = None,
    bad_rows: BadRows = "refuse",
    source: str = "",
    now: int | None = None,
    faults: pl.DataFrame | None = None,
    unit: str = "line",
) -> CleanedRows:
    """Separate good rows from bad ones, repair what has one obvious repair, and count everything.

    Parameters
    ----------
    frame
        Columns ``row`` (1-based line number), ``user`` and ``item`` (Int64 or String), ``rating``
        (Float64, null where it could not be read) and, where the file has it, ``timestamp`` (Int64 seconds).
    scale
        The legal ratings; None infers them from the ratings (see `infer_scale`).
    implicit
        The rows are interactions: a ``rating`` is not needed, and if it is there, only its sign counts.
    unrated
        The number that stands for "not rated", such as 0; rows that have it are left out and counted.
    bad_rows
        ``refuse`` raises at the first bad row; ``reject`` leaves bad rows out and counts them. Bad
        are: every row of ``faults``, a missing id, a rating that is no finite number, out of scale or off
        its step.
    source
        The file's name, for messages.
    now
        Present time in seconds since 1970, to find times in the future; None takes the system clock.
    faults
        What the reader could not read, as ``row, reason, found``; a null of ``frame`` beside it is missing.
    unit
        What ``row`` counts, for messages.

    Notes
    -----
    One repair is always made and reported. Of several ratings of one user for one item the latest
    is kept (by time, then by line); the others are rejected as ``duplicate``. Of several interactions, the
    first is kept: a recommender is asked for what a user has not had yet.

    Raises
    ------
    ReadError
        Naming the file, the line, the value and the reason; or because no row is left.
    """
    rows_read = frame.height
    rejections = Rejections(bad_rows, source, unit)
    if faults is not None:
        frame = rejections.drop(frame, faults)
    if implicit:
        frame = with_ratings(frame)
    _check_columns(frame, source)
    frame = rejections.drop(frame, _missing(frame))
    if unrated is not None:
        frame = rejections.exclude(frame, pl.col(Column.RATING) == unrated, "unrated")
    findings: list[Finding] = []
    if implicit:
        scale = INTERACTION_SCALE
        frame, findings = as_interactions(frame, rejections)
    rejections.require_any_row(frame, rows_read)
    if scale is None:
        scale = infer_scale(frame[Column.RATING], source)
        findings.append(distant_end(frame[Column.RATING], scale) or _inferred(scale))
    frame = rejections.drop(frame, faults_of(frame, _scale_faults(scale), pl.col(Column.RATING)))
    rejections.require_any_row(frame, rows_read)
    findings += [*rejections.findings, *_negative_ids(frame)]
    frame, time_findings = repair_times(frame, int(time.time()) if now is None else now)
    frame, duplicates, duplicate_findings = drop_duplicates(frame, implicit=implicit)
    rejected = rejections.counts
    if duplicates:
        rejected["repeated" if implicit else "duplicate"] = duplicates
    findings += [*time_findings, *duplicate_findings]
    if not implicit:
        findings += suspicious_ratings(frame[Column.RATING], scale)
    return CleanedRows(frame, scale, rejected, tuple(findings), implicit)


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


def _missing(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows without an id or a finite rating; those of a reader have none left."""
    faults = {}
    for name in (Column.USER, Column.ITEM):
        column = pl.col(name)
        blank = column.str.strip_chars() == "" if frame.schema[name] == pl.String else pl.lit(False)
        faults[f"{name}_missing"] = column.is_null() | blank
    faults["rating_missing"] = pl.col(Column.RATING).is_null()
    faults["rating_unreadable"] = ~pl.col(Column.RATING).is_finite()
    number = pl.col(Column.RATING)
    return faults_of(frame, faults, pl.when(~number.is_finite()).then(number))


def _scale_faults(scale: Scale) -> dict[str, pl.Expr]:
    rating = pl.col(Column.RATING)
    tolerance = 1e-6 * (scale.step or scale.span)
    faults = {"rating_out_of_scale": ~rating.is_between(scale.minimum - tolerance, scale.maximum + tolerance)}
    if scale.step is not None:
        steps = (rating - scale.minimum) / scale.step
        faults["rating_off_step"] = (steps - steps.round()).abs() > 1e-6
    return faults


def _negative_ids(frame: pl.DataFrame) -> list[Finding]:
    findings = []
    for name in (Column.USER, Column.ITEM):
        ids = frame[name]
        negative = int((ids < 0).sum()) if ids.dtype.is_integer() else 0
        if negative:
            advice = (
                f"{counted(negative, 'row has', 'rows have')} a negative {name} id; it is an id like others, "
                "unless -1 means none"
            )
            findings.append(Finding(f"{name}_ids_negative", float(negative), 0.0, Severity.WARNING, advice))
    return findings


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
