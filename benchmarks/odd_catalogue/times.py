"""Times in many forms: seconds since 1970 where there is one reading, asked for where there are two."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from .case import BAD, Case, Kept, Refused, asking, column_case, column_right, column_rows, kept_rows, table

NUMBERS: dict[str, tuple[Sequence[str], Sequence[Any]]] = {
    "seconds": (["1709293024", "1566435909", "1325375999"], [1709293024, 1566435909, 1325375999]),
    "seconds as fractions": (
        ["1709293024.0", "1566435909.5", "1325375999.9"],
        [1709293024, 1566435909, 1325375999],
    ),
    "seconds as floats": (
        ["1709293024.0", "1566435909.0", "1325375999.0"],
        [1709293024, 1566435909, 1325375999],
    ),
    "counters": (["10", "20", "30"], [10, 20, 30]),
    "milliseconds": (
        ["1709293024123", "1566435909999", "1325375999000"],
        [1709293024, 1566435909, 1325375999],
    ),
    "microseconds": (["1709293024123456", "1566435909000000"], [1709293024, 1566435909]),
    "nanoseconds": (["1709293024123456789", "1566435909000000001"], [1709293024, 1566435909]),
    "the last second of 32 bits": (["2147483647", "1709293024"], [2147483647, 1709293024]),
    "before 2001, nine digits": (
        ["874965758", "999999999", "1000000000"],
        [874965758, 999999999, 1000000000],
    ),
    "with spaces": ([" 1709293024", "1566435909 "], [1709293024, 1566435909]),
}
"""Numbers with one reading, by their size."""

REPAIRED: dict[str, tuple[Sequence[str], Sequence[Any], str]] = {
    "zero": (["1709293024", "0", "1325375999"], [1709293024, 0, 1325375999], "timestamps_unset"),
    "negative": (["1709293024", "-5", "1325375999"], [1709293024, -5, 1325375999], "timestamps_unset"),
    "future": (["1709293024", "9999999999", "1325375999"], [1709293024, 9999999999, 1325375999], "future"),
    "future dates": (
        ["2024-03-01", "3000-01-01", "2011-12-31"],
        [1709251200, 32503680000, 1325289600],
        "future",
    ),
    "the last date": (
        ["2024-03-01", "9999-12-31", "2011-12-31"],
        [1709251200, 253402214400, 1325289600],
        "future",
    ),
    "before 1970": (["2024-03-01", "1969-12-31", "2011-12-31"], [1709251200, -86400, 1325289600], "unset"),
    "1970 itself": (["2024-03-01", "1970-01-01", "2011-12-31"], [1709251200, 0, 1325289600], "unset"),
    **{
        f"gap {gap or 'empty'!r}": (["1709293024", gap, "1325375999"], [1709293024, 0, 1325375999], "missing")
        for gap in ("", " ", "nan", "NULL", "None", r"\N", "NaT")
    },
    "an empty date": (["2024-03-01", "", "2011-12-31"], [1709251200, 0, 1325289600], "missing"),
    "most cells empty": (["", "", "1709293024", ""], [0, 0, 1709293024, 0], "missing"),
    "milliseconds written by pandas": (
        ["1709293024123.0", "1566435909000.0"],
        [1709293024, 1566435909],
        "milli",
    ),
}
"""Times that are kept, with a finding that counts them."""

BAD_VALUES: dict[str, Sequence[str]] = {
    "30 February": ["2024-03-01", "2024-02-30", "2011-12-31"],
    "29 February of 2023": ["2024-03-01", "2023-02-29", "2011-12-31"],
    "month 13": ["2024-03-01", "2024-13-01", "2011-12-31"],
    "MySQL's zero": ["2024-03-01", "0000-00-00", "2011-12-31"],
    "hour 25": ["2024-03-01 11:37:04", "2019-08-22 25:05:09", "2011-12-31 23:59:59"],
    "a word": ["2024-03-01", "yesterday", "2011-12-31"],
    "a word among seconds": ["1709293024", "soon", "1325375999"],
    "a question mark": ["1709293024", "?", "1325375999"],
    "infinite": ["1709293024", "inf", "1325375999"],
    "beyond 64 bits": ["1709293024", "99999999999999999999", "1325375999"],
    "the hour after the last": ["2024-03-01 11:37:04", "2019-08-22 24:30:00", "2011-12-31 23:59:59"],
    "minute 60": ["2024-03-01 11:37:04", "2019-08-22 01:60:00", "2011-12-31 23:59:59"],
    "31 November": ["03/15/2024", "11/31/2019", "12/31/2011"],
    "day 0": ["2024-03-01", "2019-08-00", "2011-12-31"],
    "an offset of 99 hours": ["2024-03-01T11:37:04Z", "2019-08-22T01:05:09+99:00", "2011-12-31T23:59:59Z"],
    "half past 13 PM": ["03/15/2024 11:37 AM", "08/22/2019 13:05 PM", "12/31/2011 11:59 PM"],
    "text after a date": ["2024-03-01", "2019-08-22 or so", "2011-12-31"],
    "two dates": ["2024-03-01", "2019-08-22/2019-08-23", "2011-12-31"],
    "minus infinity": ["1709293024", "-inf", "1325375999"],
    "hexadecimal": ["1709293024", "0x5D5DE0C5", "1325375999"],
    "thousands": ["1709293024", "1566 435 909", "1325375999"],
    "a broken date": ["2024-03-01", "2019-08-", "2011-12-31"],
}
"""The second value has no reading: its row is refused or rejected."""

NO_READING: dict[str, Sequence[str]] = {
    "times of day": ["11:37:04", "01:05:09", "23:59:59"],
    "words": ["today", "yesterday", "2 days ago"],
    "month and day": ["03-01", "08-22", "12-31"],
    "durations": ["3 days", "2 days", "1 day"],
    "quarters": ["2024Q1", "2019Q3", "2011Q4"],
    "weeks": ["2024-W09", "2019-W34", "2011-W52"],
    "words that start like months": ["Marble 1, 2024", "Decimal 22, 2019", "Octopus 3, 2011"],
    "months in Polish": ["1 marca 2024", "22 sierpnia 2019", "31 grudnia 2011"],
    "letters": ["a", "b", "c"],
    "IP addresses": ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
    "versions": ["1.2.3", "4.5.6", "7.8.9"],
    "telephone numbers": ["555-0100-22", "555-0101-22", "555-0102-22"],
    "flags": ["true", "false", "true"],
}
"""No value of the column has a reading: refused with the first one, for what is there is never left out."""

TWO_READINGS: dict[str, tuple[Sequence[str], str, Sequence[int]]] = {
    "Excel's days": (["45352", "43699", "40908"], "excel", [1709251200, 1566432000, 1325289600]),
    "Excel's days with a fraction": (
        ["45352.5", "43699.25", "40908.0"],
        "excel",
        [1709294400, 1566453600, 1325289600],
    ),
    "years": (["2024", "2019", "2011"], "%Y", [1704067200, 1546300800, 1293840000]),
}
"""Numbers that could be seconds in 1970: the format is asked for."""

DIGITS: dict[str, tuple[Sequence[str], str, Sequence[int]]] = {
    "day, month, year": (["14092007", "19112006"], "%d%m%Y", [1189728000, 1163894400]),
    "month, day, year": (["08072007", "12312012"], "%m%d%Y", [1186444800, 1356912000]),
    "two digits each": (["240301", "190822", "111231"], "%y%m%d", [1709251200, 1566432000, 1325289600]),
    "year, day of the year": (["2024061", "2019234"], "%Y%j", [1709251200, 1566432000]),
    "year, month, day": (
        ["20240301", "20190822", "20111231"],
        "%Y%m%d",
        [1709251200, 1566432000, 1325289600],
    ),
    "down to seconds": (
        ["20240301113704", "20190822010509", "20111231235959"],
        "%Y%m%d%H%M%S",
        [1709293024, 1566435909, 1325375999],
    ),
    "down to minutes": (
        ["202403011137", "201908220105", "201112312359"],
        "%Y%m%d%H%M",
        [1709293020, 1566435900, 1325375940],
    ),
}
"""Digits of a date: read as a date, or asked for; as seconds they would be in 1970 or in the far future."""


def odd_times() -> Iterator[Case]:
    """Yield the forms of times, with the format stated where that is needed or possible."""
    for name, (texts, seconds) in NUMBERS.items():
        yield column_case(f"numbers: {name}", "timestamp", texts, seconds)
    for name, (texts, seconds, says) in REPAIRED.items():
        right = column_right("timestamp", texts, seconds, says)
        yield Case(f"kept: {name}", table(column_rows("timestamp", texts)), (right[0],))
    for name, texts in BAD_VALUES.items():
        good = [BAD if place == 1 else _seconds(text) for place, text in enumerate(texts)]
        yield column_case(f"bad: {name}", "timestamp", texts, good)
    for name, texts in NO_READING.items():
        yield column_case(f"no reading: {name}", "timestamp", texts, separator=";")
    for name, (texts, stated, seconds) in TWO_READINGS.items():
        case = column_case(f"numbers: {name}", "timestamp", texts)
        yield from asking(case, Kept(kept_rows("timestamp", seconds)), time_format=stated)
    for name, (texts, stated, seconds) in DIGITS.items():
        kept = Kept(kept_rows("timestamp", seconds))
        read, with_format = asking(
            column_case(f"digits: {name}", "timestamp", texts), kept, time_format=stated
        )
        yield replace(read, right=(*read.right, kept))
        yield with_format
    yield from _mixed()


def parsed(text: str) -> datetime:
    """Return the moment of a text in one of the forms of `BAD_VALUES`."""
    if text.isdigit():
        return datetime.fromtimestamp(int(text), UTC)
    for pattern in ("%m/%d/%Y", "%m/%d/%Y %I:%M %p"):
        with contextlib.suppress(ValueError):
            return datetime.strptime(text, pattern).replace(tzinfo=UTC)
    return datetime.fromisoformat(text)


def _seconds(text: str) -> int:
    return int(parsed(text).replace(tzinfo=UTC).timestamp())


def _mixed() -> Iterator[Case]:
    """Columns whose values do not have one form."""
    units = ["1709293024123", "1566435909", "1325375999000"]
    case = column_case("mixed: milliseconds and seconds", "timestamp", units, [1709293024, BAD, 1325375999])
    read = Kept(kept_rows("timestamp", [1709293024, 1566435909, 1325375999]), says="milli")
    yield replace(case, right=(*case.right, read), rejecting=(*(case.rejecting or ()), read))
    both = ["2024-03-01", "2019-08-22T01:05:09", "2011-12-31"]
    yield column_case(
        "mixed: dates and times of ISO 8601", "timestamp", both, [_seconds(text) for text in both]
    )
    texts = ["2024-03-01", "1566435909", "2011-12-31"]
    case = column_case("mixed: dates and seconds", "timestamp", texts, [_seconds(text) for text in texts])
    refused = Refused(("1566435909",), line=3)
    rejecting = Kept(kept_rows("timestamp", [1709251200, BAD, 1325289600]), rejected=1)
    yield replace(case, right=(*case.right, refused), rejecting=(*case.right, rejecting, refused))
    yield Case(
        "mixed: 03/25/2024 and 25/03/2024",
        table(column_rows("timestamp", ["03/25/2024", "25/03/2024", "03/04/2024"])),
        (Refused(("--time-format",)),),
    )
    stated = ["03/25/2024", "25/03/2024", "03/04/2024"]
    yield column_case(
        "mixed: 03/25/2024 and 25/03/2024, month/day/year stated",
        "timestamp",
        stated,
        [1711324800, BAD, 1709510400],
        options={"time_format": "%m/%d/%Y"},
    )
    many = [f"0{1 + day % 9}/0{1 + day // 9 % 9}/2024" for day in range(300)]
    last = [*many, "03/25/2024"]
    months = [int(datetime.strptime(text, "%m/%d/%Y").replace(tzinfo=UTC).timestamp()) for text in last]
    yield column_case("dates: only the last of 301 decides", "timestamp", last, months)
    yield column_case(
        "a stated format that does not fit",
        "timestamp",
        ["2024-03-01", "2019-08-22"],
        options={"time_format": "%d/%m/%Y"},
    )
    empty = column_rows("timestamp", ["", "", ""])
    without = [(user, item, rating, None) for user, item, rating, _ in empty]
    yield Case("every cell is empty", table(empty), (Kept(without), Kept(without, says="missing")))
