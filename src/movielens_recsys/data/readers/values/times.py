"""Times as seconds since 1970: one format for the column, taken if it is the only one that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl

from movielens_recsys.data.counted import counted
from movielens_recsys.data.readers.values.column import TypedColumn, WrittenColumn
from movielens_recsys.data.readers.values.dates import DATE_READINGS, read_format
from movielens_recsys.data.readers.values.epochs import UNITS, read_numbers, read_unit
from movielens_recsys.errors import ReadError
from movielens_recsys.schema import Finding, Severity

_YEAR_BEFORE = r"^\d{4}[-/.:]"
"""What only one reading begins with, so that others need not be tried."""
_ORDERS = {"day-first", "month-first", "year-first"}
_NAIVE = "times without a zone are taken as UTC"


def read_times(written: WrittenColumn, time_format: str | None) -> TypedColumn:
    """Return times as Int64 seconds since 1970.

    A format fits if it reads every text that any format reads. If only one fits, it is taken; if two fit and
    differ, or none fits and the best two differ, it has to be stated. What the format does not read is null.

    Parameters
    ----------
    time_format
        A word of `UNITS` or `DATE_READINGS`, a format as for ``strptime``, or None.

    Raises
    ------
    ReadError
        The format has to be stated, or the one that is stated is none.
    """
    texts = written.texts
    distinct = texts.drop_nulls().unique(maintain_order=True)
    if time_format is not None:
        seconds, form = _stated(distinct, time_format)
    else:
        seconds, form = _only_reading(distinct, written)
    if len(distinct) == len(texts):
        values = seconds
    else:
        values = texts.replace_strict(distinct, seconds, default=None, return_dtype=pl.Int64)
    return TypedColumn(values, form + _range(seconds), _finer(form, len(texts)))


def _stated(distinct: pl.Series, time_format: str) -> tuple[pl.Series, str]:
    if time_format in UNITS:
        return read_unit(distinct, time_format), UNITS[time_format].form
    if time_format in DATE_READINGS:
        return DATE_READINGS[time_format].read(distinct), f"{DATE_READINGS[time_format].form}; {_NAIVE}"
    return read_format(distinct, time_format), f"dates {time_format}; {_NAIVE}"


def _only_reading(distinct: pl.Series, written: WrittenColumn) -> tuple[pl.Series, str]:
    numbers, form = read_numbers(distinct, written)
    if numbers.null_count() == 0:
        return numbers, form
    possible = {"iso"} if distinct.str.contains(_YEAR_BEFORE).all() else DATE_READINGS.keys()
    readings = {name: DATE_READINGS[name].read(distinct) for name in DATE_READINGS if name in possible}
    forms = {name: f"{reading.form}; {_NAIVE}" for name, reading in DATE_READINGS.items()}
    readings["seconds"], forms["seconds"] = numbers, form
    readings = {name: seconds for name, seconds in readings.items() if seconds.null_count() < len(seconds)}
    if not readings:
        return numbers, "nothing that is a time"
    best = max(readings, key=lambda name: _count_read(written.texts, distinct, readings[name]))
    for other in readings:
        if other != best and {best, other} <= _ORDERS:
            _require_one_order(distinct, {name: readings[name] for name in (best, other)}, written)
        difference = readings[best] != readings[other]  # null where either cannot read
        if other != best and difference.any():
            _require_statement(distinct, {name: readings[name] for name in (best, other)}, written)
    return readings[best], forms[best]


def _count_read(texts: pl.Series, distinct: pl.Series, seconds: pl.Series) -> int:
    """Return how many of all texts a reading of the distinct ones can read."""
    if not seconds.null_count():
        return len(texts)
    return int(texts.is_in(distinct.filter(seconds.is_not_null()).implode()).sum())


def _require_one_order(
    distinct: pl.Series, readings: Mapping[str, pl.Series], written: WrittenColumn
) -> None:
    """Refuse a column in which each of two orders reads a date that the other cannot."""
    (best, one), (other, two) = readings.items()
    only_best = distinct.filter(one.is_not_null() & two.is_null())
    only_other = distinct.filter(one.is_null() & two.is_not_null())
    if only_best.is_empty() or only_other.is_empty():
        return
    raise ReadError(
        f"{written.where(only_best[0])}: the time {only_best[0]!r} can only be {best}, and "
        f"{only_other[0]!r} ({written.where(only_other[0])}) only {other}: both orders stand in the column",
        expected="times in one order",
        next_step="correct the file; or take one order, and leave rows that do not fit it out, with "
        f"--time-format {best} --on-bad-rows reject",
    )


def _require_statement(
    distinct: pl.Series, readings: Mapping[str, pl.Series], written: WrittenColumn
) -> None:
    """Refuse two readings that differ, unless the first reads every text and the second does not."""
    (best, one), (_, two) = readings.items()
    only_other = distinct.filter(one.is_null() & two.is_not_null())
    if one.null_count() < two.null_count() and only_other.is_empty():
        return
    differing = (one != two).fill_null(False)
    text = distinct.filter(differing)[0]
    names = sorted(readings)
    meanings = " or ".join(f"{_date(readings[name].filter(differing)[0])} ({name})" for name in names)
    against = "" if only_other.is_empty() else f", and {only_other[0]!r} is no {best} date"
    raise ReadError(
        f"{written.where(text)}: the time {text!r} may be {meanings}{against}",
        expected="times that can be read in one way",
        next_step=f"state which is right: --time-format {names[0]} or --time-format {names[1]}",
    )


def _finer(form: str, count: int) -> tuple[Finding, ...]:
    unit = next((word for word, unit in UNITS.items() if unit.form == form and unit.per_second > 1), None)
    if unit is None:
        return ()
    advice = f"{counted(count, 'time is', 'times are')} in {unit}; made whole seconds"
    return (Finding("timestamps_finer_than_seconds", float(count), 0.0, Severity.WARNING, advice),)


def _date(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def _range(seconds: pl.Series) -> str:
    low, high = seconds.min(), seconds.max()
    if not isinstance(low, int) or not isinstance(high, int):
        return ""
    try:
        return f", {_date(low)} to {_date(high)}"
    except (OverflowError, ValueError, OSError):
        return ""
