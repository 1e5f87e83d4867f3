"""Times that are numbers: seconds since 1970 and finer units, compact dates, and numbers of days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import polars as pl

from movielens_recsys.data.readers.values.column import WrittenColumn
from movielens_recsys.data.readers.values.dates import read_format
from movielens_recsys.errors import ReadError

NumberT = TypeVar("NumberT", pl.Expr, pl.Series)
_NUMBER = r"^[-+]?\d+(?:\.\d*)?$"
_EXCEL_EPOCH_S = -2_209_161_600
"""1899-12-30, day 0 of a spreadsheet's serial numbers."""
_DAY_S = 86_400
_LAST_SECOND = 253_402_300_799
"""9999-12-31: no calendar goes further."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of times that are numbers: ``per_second`` since 1970, recognized from ``smallest`` on."""

    form: str
    per_second: int
    smallest: int = 0


UNITS = {
    "seconds": Unit("seconds since 1970", 1),
    "milliseconds": Unit("milliseconds since 1970", 10**3, 10**11),
    "microseconds": Unit("microseconds since 1970", 10**6, 10**14),
    "nanoseconds": Unit("nanoseconds since 1970", 10**9, 10**17),
    "days": Unit("days since 1970", 0),
    "excel": Unit("days of a spreadsheet (since 1899-12-30)", 0),
}
"""Units by their words in ``--time-format``. 10^11 seconds would be the year 5138: such a number is finer."""

_COMPACT = {
    "%Y%m%d": (19_000_101, 21_001_231),
    "%Y%m%d%H%M": (190_001_010_000, 210_012_312_359),
    "%Y%m%d%H%M%S": (19_000_101_000_000, 21_001_231_235_959),
}
"""Dates without separators, which as seconds or milliseconds would all lie in a few weeks of 1970 or 1976."""
_OLDEST_REAL_S = 10**8
"""1973: a whole column of times before it is more often something else."""
_DOUBTFUL = {
    (1900, 2100): ("years", "%Y"),
    (190_001, 210_012): ("years and months", "%Y%m"),
    (7_000, 30_000): ("days since 1970", "days"),
    (30_001, 75_000): ("days of a spreadsheet", "excel"),
}
"""Ranges in which a whole column of times may mean something else than seconds since 1970."""


def is_seconds(numbers: NumberT) -> NumberT:
    """Return whether whole numbers are seconds since 1970 and nothing else: after 1973, or unset (0)."""
    return numbers.is_between(_OLDEST_REAL_S, UNITS["milliseconds"].smallest - 1) | (numbers == 0)


def read_numbers(distinct: pl.Series, written: WrittenColumn) -> tuple[pl.Series, str]:
    """Return times that are numbers as seconds since 1970, null elsewhere, and the form of the column.

    The unit is one for the column, the one of most of its values; numbers of another size are null.
    0 and negative numbers stand for unset times and have no unit.

    Raises
    ------
    ReadError
        The numbers may be years or days.
    """
    numbers = _numbers(distinct)
    votes = numbers.filter(numbers > 0)
    if votes.is_empty():
        return numbers, UNITS["seconds"].form
    low, high = int(votes.min()), int(votes.max())  # type: ignore[arg-type]
    for (first, last), (meaning, word) in _DOUBTFUL.items():
        if first <= low and high <= last:
            raise _doubtful(distinct.filter((numbers > 0).fill_null(False))[0], meaning, word, written)
    for time_format, (first, last) in _COMPACT.items():
        compact = votes.is_between(first, last)
        mixed = first < _OLDEST_REAL_S and compact.any() and (compact | (votes >= _OLDEST_REAL_S)).all()
        if compact.all() or (mixed and compact.mean() >= 0.5):  # type: ignore[operator]
            unset = pl.when(pl.col("n") <= 0).then(0)
            dates = read_format(distinct, time_format)
            return dates.fill_null(numbers.to_frame("n").select(unset).to_series()), f"dates {time_format}"
        if mixed:
            numbers = numbers.set(numbers.is_between(first, last), None)
    sizes = {name: unit.smallest for name, unit in UNITS.items() if unit.per_second}
    units = pl.Series([_unit_of(int(edge), sizes) for edge in (low, high)])
    if units[0] == units[1]:
        return read_unit(distinct, units[0]).set(numbers.is_null(), None), UNITS[units[0]].form
    counts = {name: _of_unit(votes, name).sum() for name in sizes}
    unit = max(sizes, key=counts.__getitem__)
    fits = _of_unit(numbers, unit) | (numbers <= 0)
    return read_unit(distinct, unit).set(~fits.fill_null(False), None), UNITS[unit].form


def read_unit(texts: pl.Series, word: str) -> pl.Series:
    """Return numbers in a unit of `UNITS` as whole seconds since 1970; null for what is none."""
    if word in {"days", "excel"}:
        days = texts.to_frame("text").select(
            pl.when(pl.col("text").str.contains(_NUMBER)).then(pl.col("text").cast(pl.Float64, strict=False))
        )
        seconds = (days.to_series() * _DAY_S).round() + (_EXCEL_EPOCH_S if word == "excel" else 0)
        seconds = seconds.cast(pl.Int64, strict=False)
    else:
        seconds = _numbers(texts) // UNITS[word].per_second
    return seconds.set((seconds.abs() > _LAST_SECOND).fill_null(False), None)


def _numbers(texts: pl.Series) -> pl.Series:
    """Return numbers without their fractions, Int64; null for what is no number."""
    text = pl.col("text")
    whole = text.cast(pl.Int64, strict=False)
    fraction = pl.when(text.str.contains(_NUMBER)).then(text.cast(pl.Float64, strict=False).floor())
    return (
        texts.to_frame("text").select(pl.coalesce(whole, fraction.cast(pl.Int64, strict=False))).to_series()
    )


def _unit_of(number: int, sizes: dict[str, int]) -> str:
    return max((name for name, smallest in sizes.items() if number >= smallest), key=sizes.__getitem__)


def _of_unit(numbers: pl.Series, word: str) -> pl.Series:
    finer = [unit.smallest for unit in UNITS.values() if unit.smallest > UNITS[word].smallest]
    return (numbers >= max(UNITS[word].smallest, 1)) & (numbers < min(finer, default=2**63 - 1))


def _doubtful(text: str, meaning: str, word: str, written: WrittenColumn) -> ReadError:
    return ReadError(
        f"{written.where(text)}: the time {text!r} may be seconds since 1970, as all others in January 1970, "
        f"or {meaning}",
        expected="times that can be read in one way",
        next_step=f"state which is right: --time-format seconds or --time-format {word}",
    )
