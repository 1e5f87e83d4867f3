"""Dates in many forms: each with one reading, or asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from .case import Case, Refused, asking, column_case

# The second and the last day cannot be months; the first three are the same day of a month in every zone.
MOMENTS = [
    datetime(2024, 3, 1, 11, 37, 4, tzinfo=UTC),
    datetime(2019, 8, 22, 1, 5, 9, tzinfo=UTC),
    datetime(2011, 12, 31, 23, 59, 59, tzinfo=UTC),
]
EITHER_WAY = [
    datetime(2024, 3, 1, 11, 37, 4, tzinfo=UTC),
    datetime(2024, 4, 2, 1, 5, 9, tzinfo=UTC),
    datetime(2011, 12, 11, 23, 59, 59, tzinfo=UTC),
]
DAY_S = 86_400

ISO = {
    "dates": ("%Y-%m-%d", DAY_S),
    "T": ("%Y-%m-%dT%H:%M:%S", 1),
    "a space": ("%Y-%m-%d %H:%M:%S", 1),
    "Z": ("%Y-%m-%dT%H:%M:%SZ", 1),
    "space and Z": ("%Y-%m-%d %H:%M:%SZ", 1),
    "+00:00": ("%Y-%m-%dT%H:%M:%S+00:00", 1),
    "+0000": ("%Y-%m-%d %H:%M:%S +0000", 1),
    "milliseconds": ("%Y-%m-%dT%H:%M:%S.987", 1),
    "microseconds and Z": ("%Y-%m-%dT%H:%M:%S.987654Z", 1),
    "nanoseconds": ("%Y-%m-%d %H:%M:%S.987654321", 1),
    "minutes": ("%Y-%m-%d %H:%M", 60),
    "minutes and Z": ("%Y-%m-%dT%H:%MZ", 60),
}
"""Forms of ISO 8601 in wide use: read without a question. Pattern, and its resolution in seconds."""

ONE_READING = {
    "month/day/year": ("%m/%d/%Y", DAY_S),
    "day/month/year": ("%d/%m/%Y", DAY_S),
    "month/day/year and time": ("%m/%d/%Y %H:%M:%S", 1),
    "day/month/year and time": ("%d/%m/%Y %H:%M:%S", 1),
    "month/day/year and minutes": ("%m/%d/%Y %H:%M", 60),
    "month-day-year": ("%m-%d-%Y", DAY_S),
    "day-month-year": ("%d-%m-%Y", DAY_S),
    "day.month.year": ("%d.%m.%Y", DAY_S),
    "day.month.year and time": ("%d.%m.%Y %H:%M:%S", 1),
    "month.day.year": ("%m.%d.%Y", DAY_S),
    "year/month/day": ("%Y/%m/%d", DAY_S),
    "year/month/day and time": ("%Y/%m/%d %H:%M:%S", 1),
}
"""Forms that each fit `MOMENTS` in one reading only: that one is taken."""

STATED = {
    "month/day/year, AM and PM": ("%m/%d/%Y %I:%M:%S %p", 1),
    "day/month/year, two digits": ("%d/%m/%y", DAY_S),
    "month/day/year, two digits": ("%m/%d/%y", DAY_S),
    "day.month.year, two digits": ("%d.%m.%y", DAY_S),
    "day month year": ("%d %b %Y", DAY_S),
    "day full month year": ("%d %B %Y", DAY_S),
    "month day, year": ("%b %d, %Y", DAY_S),
    "full month day, year": ("%B %d, %Y", DAY_S),
    "day-Mon-year": ("%d-%b-%Y", DAY_S),
    "day-Mon-two digits": ("%d-%b-%y", DAY_S),
    "ctime": ("%a %b %d %H:%M:%S %Y", 1),
    "year.month.day": ("%Y.%m.%d", DAY_S),
    "a web server's log": ("%d/%b/%Y:%H:%M:%S", 1),
    "colons for a photograph": ("%Y:%m:%d %H:%M:%S", 1),
    "year, day of the year": ("%Y-%j", DAY_S),
    "basic, with T": ("%Y%m%dT%H%M%S", 1),
    "Chinese": ("%Y年%m月%d日", DAY_S),
}
"""Other forms: read as what they say, or refused with the first value; read where the format is stated."""

ZONED = {
    "RFC 2822": "%a, %d %b %Y %H:%M:%S +0000",
    "HTTP": "%a, %d %b %Y %H:%M:%S GMT",
    "UTC": "%Y-%m-%d %H:%M:%S UTC",
    "a mail's, without a comma": "%a %b %d %H:%M:%S +0000 %Y",
    "Java": "%a %b %d %H:%M:%S UTC %Y",
    "JavaScript": "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)",
    "a comma for the fraction": "%Y-%m-%d %H:%M:%S,123",
    "ISO weeks": "%G-W%V-%u",
    "a zone by name": "%Y-%m-%d %H:%M:%S Africa/Abidjan",
}
"""Forms without a pattern that reads them back everywhere: read, or refused with the first value."""


def dates() -> Iterator[Case]:
    """Yield dates of all forms, with the format stated where that is needed or possible."""
    for name, (pattern, resolution) in {**ISO, **ONE_READING}.items():
        yield _rendered(f"dates: {name}", pattern, resolution, MOMENTS)
    for name, (pattern, resolution) in ONE_READING.items():
        if "%Y/" not in pattern:
            case = _rendered(f"dates: {name}, either way", pattern, resolution, EITHER_WAY)
            yield from asking(case, case.right[0], time_format=pattern)
    for name, (pattern, resolution) in STATED.items():
        case = _rendered(f"dates: {name}", pattern, resolution, MOMENTS)
        refused = Refused((MOMENTS[0].strftime(pattern), "--time-format"))
        unread = Refused((MOMENTS[0].strftime(pattern),))
        yield replace(case, right=(*case.right, refused), rejecting=(*case.right, unread))
        yield replace(case, name=f"{case.name}, stated", options={"time_format": pattern})
    for name, pattern in ZONED.items():
        resolution = DAY_S if "W" in pattern else 1
        case = _rendered(f"dates: {name}", pattern, resolution, MOMENTS)
        yield replace(
            case, right=(*case.right, Refused((MOMENTS[0].strftime(pattern)[:40],), line=2)), rejecting=None
        )
    days = [
        datetime(2003, 2, 1, tzinfo=UTC),
        datetime(2006, 5, 4, tzinfo=UTC),
        datetime(2009, 8, 7, tzinfo=UTC),
    ]
    two_digits = _rendered("dates: 01/02/03", "%d/%m/%y", DAY_S, days)
    yield from asking(two_digits, two_digits.right[0], time_format="%d/%m/%y")
    east = timezone(timedelta(hours=5, minutes=30))
    for name, pattern in (("+05:30", "%Y-%m-%dT%H:%M:%S+05:30"), ("+0530", "%Y-%m-%d %H:%M:%S +0530")):
        texts = [moment.astimezone(east).strftime(pattern) for moment in MOMENTS]
        yield column_case(
            f"dates: {name}", "timestamp", texts, [int(moment.timestamp()) for moment in MOMENTS]
        )
    yield column_case(
        "dates: several offsets",
        "timestamp",
        ["2024-03-01T11:37:04+02:00", "2024-03-01T11:37:04-07:00", "2024-03-01T11:37:04Z"],
        [1709285824, 1709318224, 1709293024],
    )


def _rendered(name: str, pattern: str, resolution: int, moments: Sequence[datetime]) -> Case:
    texts = [moment.strftime(pattern) for moment in moments]
    seconds = [int(moment.timestamp()) // resolution * resolution for moment in moments]
    return column_case(name, "timestamp", texts, seconds, separator=";")
