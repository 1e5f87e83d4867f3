"""Dates in the forms that people and programs write them, as seconds since 1970."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from movielens_recsys.errors import ReadError, shorten

_TIME = (
    r"(?:(?:[T :]|, ?)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r" ?(?P<half>[AaPp]\.?[Mm]\.?)?)?"
)
_ZONE = (
    r"(?: ?(?P<zone>Z|z|(?:UTC|GMT)?[+-](?:0\d|1[0-4])(?::?[0-5]\d)?|UTC|GMT)"
    r"(?: ?\([\w ]+\)| ?\[\w+(?:/\w+)*\])?)?"
)
_BASIC = (
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})[T ](?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})"
    r"(?P<half>[AaPp][Mm])?" + _ZONE
)
_WEEKDAY = r"(?:(?i:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?[.,]? )?"
_MONTH = (
    r"(?P<month>(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?))\.?"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR_S = 366 * 86_400


@dataclass(frozen=True, slots=True)
class DateReading:
    """One way to read dates: its patterns, tried in turn, name their parts.

    ``quick`` are formats for ``strptime`` that read a column faster if all of it has their pattern.
    """

    form: str
    patterns: Sequence[str]
    quick: Mapping[str, str] = field(default_factory=dict)

    def read(self, texts: pl.Series) -> pl.Series:
        """Return seconds since 1970, null where a text is no such date."""
        for pattern, time_format in self.quick.items():
            if texts.str.contains(pattern).all():
                return texts.to_frame().select(_seconds(pl.col(texts.name), time_format)).to_series()
        seconds = pl.Series(texts.name, [None], dtype=pl.Int64).new_from_index(0, len(texts))
        for pattern in self.patterns:
            seconds = seconds.fill_null(_read(texts, f"^{pattern}$"))
            if not seconds.null_count():
                break
        return seconds


def _numeric(order: str, *, separators: str = "/-") -> list[str]:
    """Return patterns of dates in numbers in an order such as ``dmY``, one for each separator."""
    part = {
        "Y": r"(?P<year>\d{4})",
        "y": r"(?P<short_year>\d{2})",
        "m": r"(?P<month>\d{1,2})",
        "d": r"(?P<day>\d{1,2})",
    }
    return [re.escape(sign).join(part[name] for name in order) + _TIME + _ZONE for sign in separators]


DATE_READINGS = {
    "iso": DateReading(
        "dates year-month-day (ISO 8601)",
        [*_numeric("Ymd", separators="-/.:"), _BASIC],
        {
            r"^\d{4}-\d\d-\d\d$": "%Y-%m-%d",
            r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$": "%Y-%m-%d %H:%M:%S",
            r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$": "%Y-%m-%dT%H:%M:%S",
        },
    ),
    "day-first": DateReading(
        "dates day/month/year", [*_numeric("dmY", separators="./-"), *_numeric("dmy", separators="./-")]
    ),
    "month-first": DateReading(
        "dates month/day/year", [*_numeric("mdY", separators="/-."), *_numeric("mdy", separators="/-.")]
    ),
    "year-first": DateReading(
        "dates year/month/day, with two digits for the year", _numeric("ymd", separators="/-.")
    ),
    "month-names": DateReading(
        "dates with names of months",
        [
            rf"{_WEEKDAY}{_DAY}[ /-]{_MONTH},?[ /-](?P<year>\d{{4}}){_TIME}{_ZONE}",
            rf"{_WEEKDAY}{_MONTH} {{1,2}}{_DAY},? (?P<year>\d{{4}}){_TIME}{_ZONE}",
            rf"{_WEEKDAY}{_MONTH} {{1,2}}{_DAY}{_TIME}{_ZONE} (?P<year>\d{{4}})",
        ],
    ),
}
"""Ways to read dates by their words in ``--time-format``."""


def read_format(texts: pl.Series, time_format: str) -> pl.Series:
    """Return dates in a ``strptime`` format as seconds since 1970; null for what is none.

    Raises
    ------
    ReadError
        The format is none.
    """
    known = pl.Series([datetime(2001, 2, 3, 4, 5, 6)]).dt.replace_time_zone("UTC")
    try:
        if "%" not in time_format:
            raise pl.exceptions.ComputeError(time_format)
        again = _in_format(known.dt.strftime(time_format), time_format)
        if not 0 <= known.dt.epoch("s")[0] - (again[0] or 0) < _YEAR_S:
            raise pl.exceptions.ComputeError(time_format)  # it does not tell a year
        return _in_format(texts, time_format)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as exc:
        raise ReadError(
            f"{shorten(time_format)!r} is no format of times",
            expected="seconds, milliseconds, microseconds, nanoseconds, days, excel, "
            f"{', '.join(DATE_READINGS)}, or a format with a year such as %d/%m/%Y %H:%M",
            next_step="correct --time-format",
        ) from exc


def _in_format(texts: pl.Series, time_format: str) -> pl.Series:
    moments = texts.str.to_datetime(time_format, time_unit="us", strict=False, ambiguous="null")
    return moments.dt.epoch("s")


def _read(texts: pl.Series, pattern: str) -> pl.Series:
    matches = texts.str.contains(pattern)
    if not matches.any():
        return texts.clear(len(texts)).cast(pl.Int64)
    parts = texts.str.extract_groups(pattern).struct.unnest()
    if "short_year" in parts.columns:
        parts = parts.with_columns(year=_century(pl.col("short_year")))
    month_sign = "%b" if _MONTH in pattern else "%m"
    clock = [pl.col(name).fill_null("0") for name in ("hour", "minute", "second")]
    stamp = pl.concat_str([pl.col("year"), pl.col("month").str.head(3), pl.col("day"), *clock], separator=" ")
    parts = parts.select("half", "zone", stamp=stamp)
    naive = _seconds(pl.col("stamp"), f"%Y {month_sign} %d %H %M %S")
    if parts["half"].null_count() < len(parts):
        half = pl.col("half").str.replace_all(".", "", literal=True).str.to_uppercase()
        twelve = pl.concat_str([pl.col("stamp"), half], separator=" ")
        halved = _seconds(twelve, f"%Y {month_sign} %d %I %M %S %p")
        naive = pl.when(pl.col("half").is_null()).then(naive).otherwise(halved)
    if parts["zone"].null_count() < len(parts):
        naive = naive - _offset_s(pl.col("zone"))
    return parts.select(naive.alias(texts.name)).to_series()


def _seconds(stamp: pl.Expr, time_format: str) -> pl.Expr:
    return stamp.str.to_datetime(time_format, time_unit="us", strict=False).dt.epoch("s")


def _century(short_year: pl.Expr) -> pl.Expr:
    """Return the year in four digits, by the convention of POSIX: 69 to 99 are 1969 to 1999."""
    year = short_year.cast(pl.Int32)
    return (year + pl.when(year >= 69).then(1900).otherwise(2000)).cast(pl.String)


def _offset_s(zone: pl.Expr) -> pl.Expr:
    digits = zone.str.replace_all(r"\D", "").str.pad_end(4, "0").cast(pl.Int64, strict=False)
    seconds = (digits // 100) * 3600 + (digits % 100) * 60
    return pl.when(zone.str.contains("-", literal=True)).then(-seconds).otherwise(seconds).fill_null(0)
