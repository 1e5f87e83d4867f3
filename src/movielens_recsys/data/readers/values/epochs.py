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

_SIZES = {name: unit.smallest for name, unit in UNITS.items() if unit.per_second}
_COMPACT = {
    "%Y%m%d": (19_000_101, 21_001_231),
    "%Y%m%d%H%M": (190_001_010_000, 210_012_312_359),
    "%Y%m%d%H%M%S": (19_000_101_000_000, 21_001_231_235_959),
}
"""Dates without separators, which as seconds or milliseconds would all lie in a few weeks of 1970 or 1976."""
_DIGITS = {
    6: ("%y%m%d", "%d%m%y", "%m%d%y"),
    7: ("%Y%j",),
    8: ("%d%m%Y", "%m%d%Y"),
    11: ("%Y%j%H%M",),
    12: ("%y%m%d%H%M%S", "%d%m%y%H%M%S", "%d%m%Y%H%M", "%m%d%Y%H%M"),
    13: ("%Y%j%H%M%S",),
    14: ("%d%m%Y%H%M%S", "%m%d%Y%H%M%S"),
}
"""More dates without separators, by their number of digits; numbers that are all such dates may be dates."""
_DATES_S = (-2_208_988_800, 4_102_444_800)
"""1900 to 2100: where such dates are."""
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
    # No program writes a number of seconds with a zero before it; dates without separators have them.
    numbers = numbers.set(distinct.str.contains(r"^[-+]?0\d"), None)
    votes = numbers.filter(numbers > 0)
    if votes.is_empty():
        return numbers, UNITS["seconds"].form
    low, high = int(votes.min()), int(votes.max())  # type: ignore[arg-type]
    for (first, last), (meaning, word) in _DOUBTFUL.items():
        if first <= low and high <= last:
            text = distinct.filter((numbers > 0).fill_null(False))[0]
            meanings = f"seconds since 1970, as all others in January 1970, or {meaning}"
            raise _doubtful(text, meanings, ("seconds", word), written)
    for time_format, (first, last) in _COMPACT.items():
        compact = votes.is_between(first, last)
        mixed = first < _OLDEST_REAL_S and compact.any() and (compact | (votes >= _OLDEST_REAL_S)).all()
        if compact.all() or (mixed and compact.mean() >= 0.5):  # type: ignore[operator]
            unset = pl.when(pl.col("n") <= 0).then(0)
            dates = read_format(distinct, time_format)
            return dates.fill_null(numbers.to_frame("n").select(unset).to_series()), f"dates {time_format}"
        if mixed:
            numbers = numbers.set(numbers.is_between(first, last), None)
    _refuse_digits(distinct, written)
    units = pl.Series([_unit_of(int(edge)) for edge in (low, high)])
    if units[0] == units[1]:
        return read_unit(distinct, units[0]).set(numbers.is_null(), None), UNITS[units[0]].form
    counts = {name: _of_unit(votes, name).sum() for name in _SIZES}
    unit = max(_SIZES, key=counts.__getitem__)
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


def _unit_of(number: int) -> str:
    return max((name for name, smallest in _SIZES.items() if number >= smallest), key=_SIZES.__getitem__)


def _of_unit(numbers: pl.Series, word: str) -> pl.Series:
    finer = [unit.smallest for unit in UNITS.values() if unit.smallest > UNITS[word].smallest]
    return (numbers >= max(UNITS[word].smallest, 1)) & (numbers < min(finer, default=2**63 - 1))


def _refuse_digits(distinct: pl.Series, written: WrittenColumn) -> None:
    """Refuse numbers that are all dates without separators, in one of the orders of `_DIGITS`."""
    length = len(distinct[0])
    for time_format in _DIGITS.get(length, ()) if (distinct.str.len_chars() == length).all() else ():
        # The first few decide for almost every column of numbers.
        if all(_are_dates(some, time_format) for some in (distinct.head(20), distinct)):
            unit = _unit_of(int(distinct[0]))
            raise _doubtful(distinct[0], f"{unit} since 1970, or a date", (unit, time_format), written)


def _are_dates(texts: pl.Series, time_format: str) -> bool:
    return bool(read_format(texts, time_format).is_between(*_DATES_S).fill_null(False).all())


def _doubtful(text: str, meanings: str, words: tuple[str, str], written: WrittenColumn) -> ReadError:
    return ReadError(
        f"{written.where(text)}: the time {text!r} may be {meanings}",
        expected="times that can be read in one way",
        next_step=f"state which is right: --time-format {words[0]} or --time-format {words[1]}",
    )
