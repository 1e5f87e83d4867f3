"""Options that do not fit the file, or make no sense: refused, with what was found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from .case import COLUMNS, ROWS, Case, Kept, Refused, table


def odd_options() -> Iterator[Case]:
    """Yield plain files with odd options, and odd files with several options at once."""
    wrong: dict[str, dict[str, Any]] = {
        "no separator": {"separator": ""},
        "a line end as separator": {"separator": "\n"},
        "a digit as separator": {"separator": "1"},
        "a separator that is nowhere": {"separator": "@@"},
        "a quote as separator": {"separator": '"'},
        "another decimal sign": {"decimal": ";"},
        "a time format that is a word": {"time_format": "american"},
        "a time format of no time": {"time_format": "%%"},
        "an unknown directive": {"time_format": "%Q"},
        "a lone percent sign": {"time_format": "%"},
        "an empty time format": {"time_format": ""},
        "dates for seconds": {"time_format": "%Y-%m-%d"},
        "no columns": {"columns": {}},
        "half a mapping": {"columns": {"user": "user"}},
    }
    for name, options in wrong.items():
        right = (
            (Refused(names_file=False), Kept(ROWS)) if name == "no columns" else (Refused(names_file=False),)
        )
        yield Case(name, table(ROWS), right, options=options)
    untimed = Kept([(*row[:3], None) for row in ROWS])
    numbers = {"columns": {"user": "1", "item": "2", "rating": "3"}}
    yield Case("a mapping to numbers", table(ROWS), (untimed, Refused()), options=numbers)
    yield from _units()
    yield from _together()
    frame = pl.DataFrame(ROWS, schema=list(COLUMNS), orient="row")
    for name, options in (
        ("a separator for Parquet", {"separator": ","}),
        ("no header for Parquet", {"header": False}),
        ("a header for Parquet", {"header": True}),
        ("a decimal sign for Parquet", {"decimal": "."}),
        ("seconds for Parquet", {"time_format": "seconds"}),
    ):
        yield Case(
            name, frame, (Kept(ROWS), Refused(names_file=False)), file="ratings.parquet", options=options
        )


def _units() -> Iterator[Case]:
    """Stated units of times are believed, also where their size says something else."""
    for unit, factor in (
        ("seconds", 1),
        ("milliseconds", 1000),
        ("microseconds", 10**6),
        ("nanoseconds", 10**9),
    ):
        rows = [(user, item, rating, time * factor) for user, item, rating, time in ROWS]
        yield Case(f"{unit}, stated", table(rows), (Kept(ROWS),), options={"time_format": unit})
    small = [(user, item, rating, 1000 * number) for number, (user, item, rating, _) in enumerate(ROWS, 1)]
    read = [(user, item, rating, number) for number, (user, item, rating, _) in enumerate(ROWS, 1)]
    yield Case(
        "milliseconds of 1970, stated", table(small), (Kept(read),), options={"time_format": "milliseconds"}
    )
    years = [(user, item, rating, 2000 + number) for number, (user, item, rating, _) in enumerate(ROWS)]
    yield Case(
        "seconds that look like years, stated",
        table(years),
        (Kept(years),),
        options={"time_format": "seconds"},
    )
    yield Case(
        "ISO, stated",
        table([(1, 10, 5.0, "2024-03-01"), (2, 10, 3.0, "2024-03-01T00:00:01Z")]),
        (Kept([(1, 10, 5.0, 1709251200), (2, 10, 3.0, 1709251201)]),),
        options={"time_format": "iso"},
    )
    yield Case(
        "ISO, stated for slashes",
        table([(1, 10, 5.0, "03/04/2024"), (2, 10, 3.0, "05/06/2024")]),
        (Refused(("03/04/2024",)),),
        options={"time_format": "iso"},
    )


def _together() -> Iterator[Case]:
    """Several options for one file."""
    mapping = {"user": "4", "item": "1", "rating": "3", "timestamp": "2"}
    rows = [
        (item, f"{day:02}.03.2024 10:00", f"{rating - 0.5:g}".replace(".", ","), user)
        for day, (user, item, rating, _) in enumerate(ROWS, 1)
    ]
    kept = [
        (user, item, rating - 0.5, 1709287200 + 86400 * day)
        for day, (user, item, rating, _) in enumerate(ROWS)
    ]
    options = {
        "columns": mapping,
        "header": False,
        "separator": ";",
        "decimal": ",",
        "time_format": "%d.%m.%Y %H:%M",
    }
    yield Case("all five", table(rows, "", ";"), (Kept(kept),), options=options, header_lines=0)
    quoted = [
        (user, item, f'"{rating - 0.5:g}"'.replace(".", ","), time) for user, item, rating, time in ROWS
    ]
    halves = [(user, item, rating - 0.5, time) for user, item, rating, time in ROWS]
    yield Case(
        "commas for both, quoted", table(quoted), (Kept(halves),), options={"separator": ",", "decimal": ","}
    )
    both = '"ann::lee"::10::5\n"bob"::10::3\n'
    yield Case(
        "quotes around the separator ::", both, (Refused(),), (Refused(),), file="ratings.dat", header_lines=0
    )
