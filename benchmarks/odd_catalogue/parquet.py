"""Parquet: every type in every column, and files that are not whole."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from .case import BAD, COLUMNS, ROWS, Case, Kept, Refused, column_rows, kept_rows, table

Column = tuple[pl.Series, Sequence[Sequence[Any]]]
"""A column, and the meanings that are right for it; none means that its type is refused."""

INTEGERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
MIDNIGHTS = [datetime(2024, 3, 1), datetime(2019, 8, 22), datetime(2011, 12, 31)]
MIDNIGHTS_S = [1709251200, 1566432000, 1325289600]


def parquet() -> Iterator[Case]:
    """Yield ids, ratings and times of every type, and odd files."""
    for column, kinds in (
        ("user", _ids()),
        ("item", _ids()),
        ("rating", _ratings()),
        ("timestamp", _times()),
    ):
        for name, (values, meanings) in kinds.items():
            yield _typed(f"{column}: {name}", column, values, meanings)
    yield from _files()


def _typed(name: str, column: str, values: pl.Series, meanings: Sequence[Sequence[Any]]) -> Case:
    """Return the case of one column; a bad value is named by its row."""
    rows = column_rows(column, [0] * len(values))
    frame = pl.DataFrame(rows, schema=list(COLUMNS), orient="row").with_columns(values.alias(column))
    refused = Refused((column,))
    right, rejecting = [], []
    for meaning in meanings:
        kept = Kept(kept_rows(column, meaning), sum(value is BAD for value in meaning))
        bad = Refused(line=1 + list(meaning).index(BAD)) if kept.rejected else kept
        right.append(bad if meaning else refused)
        rejecting.append(kept if kept.rows else refused)
    return Case(
        name,
        frame,
        tuple(right) or (refused,),
        tuple(rejecting) or (refused,),
        file="ratings.parquet",
        header_lines=None,
    )


def _ids() -> dict[str, Column]:
    text = ["ann", "bob", "007"]
    odd: dict[str, Column] = {
        "UInt64, beyond Int64": (
            pl.Series([2**64 - 1, 2**63, 7], dtype=pl.UInt64),
            [[str(2**64 - 1), str(2**63), "7"]],
        ),
        "Int128": (pl.Series([2**70, 7, 8], dtype=pl.Int128), [[str(2**70), "7", "8"], []]),
        "whole Float64": (pl.Series([7.0, 8.0, 9.0]), [[7, 8, 9]]),
        "whole Float32": (pl.Series([7.0, 8.0, 9.0], dtype=pl.Float32), [[7, 8, 9]]),
        "Float64 with NaN": (pl.Series([7.0, float("nan"), 9.0]), [[7, BAD, 9]]),
        "Float64 with null": (pl.Series([7.0, None, 9.0]), [[7, BAD, 9]]),
        "Float64 with fractions": (pl.Series([7.5, 8.0, 9.25]), [["7.5", "8.0", "9.25"]]),
        "Float64 with infinity": (pl.Series([7.0, float("inf"), 9.0]), [[7, BAD, 9], ["7.0", "inf", "9.0"]]),
        "Float64 beyond 2^53": (
            pl.Series([float(2**60), 7.0, 8.0]),
            [[2**60, 7, 8], ["1.152921504606847e+18", "7.0", "8.0"], [str(2**60), "7", "8"], []],
        ),
        "Decimal, whole": (
            pl.Series([Decimal(7), Decimal(8), Decimal(9)], dtype=pl.Decimal(10, 0)),
            [[7, 8, 9]],
        ),
        "Decimal with fractions": (
            pl.Series([Decimal("7.5"), Decimal("8.0"), Decimal("9.2")], dtype=pl.Decimal(10, 1)),
            [["7.5", "8.0", "9.2"]],
        ),
        "String": (pl.Series(text), [text]),
        "String of numbers": (pl.Series(["7", "8", "9"]), [[7, 8, 9]]),
        "String with leading zeros": (pl.Series(["7", "007", "8"]), [["7", "007", "8"]]),
        "String with null": (pl.Series(["ann", None, "bob"]), [["ann", BAD, "bob"]]),
        "String with nan among numbers": (pl.Series(["7", "nan", "8"]), [[7, BAD, 8]]),
        "String with line ends": (pl.Series(["a\nb", "a", "b"]), [["a\nb", "a", "b"]]),
        "Categorical": (pl.Series(text, dtype=pl.Categorical), [text]),
        "Enum": (pl.Series(text, dtype=pl.Enum(text)), [text]),
        "Boolean": (pl.Series([True, False, True]), [["true", "false", "true"]]),
        "Date": (
            pl.Series([date(2024, 3, 1), date(2019, 8, 22), date(2011, 12, 31)]),
            [["2024-03-01", "2019-08-22", "2011-12-31"]],
        ),
        "Binary": (pl.Series([b"a", b"\xff", b"c"]), []),
        "List": (pl.Series([[1], [2], [3]]), []),
        "Array": (pl.Series([[1], [2], [3]], dtype=pl.Array(pl.Int64, 1)), []),
        "Struct": (pl.Series([{"a": 1}, {"a": 2}, {"a": 3}]), []),
        "Null": (pl.Series([None, None, None], dtype=pl.Null), []),
        "all null": (pl.Series([None, None, None], dtype=pl.Int64), []),
        "negative": (pl.Series([-7, 8, 9]), [[-7, 8, 9], [BAD, 8, 9]]),
    }
    # Types whose values have more than one faithful text may also be refused by their name.
    for name in ("Boolean", "Date"):
        odd[name] = (odd[name][0], [*odd[name][1], []])
    return {str(dtype()): (pl.Series([7, 8, 9], dtype=dtype), [[7, 8, 9]]) for dtype in INTEGERS} | odd


def _ratings() -> dict[str, Column]:
    odd: dict[str, Column] = {
        "Float64": (pl.Series([0.5, 4.0, 2.5]), [[0.5, 4.0, 2.5]]),
        "Float32": (pl.Series([0.5, 4.0, 2.5], dtype=pl.Float32), [[0.5, 4.0, 2.5]]),
        "Decimal": (
            pl.Series([Decimal("0.5"), Decimal("4.0"), Decimal("2.5")], dtype=pl.Decimal(4, 1)),
            [[0.5, 4.0, 2.5]],
        ),
        "Boolean": (pl.Series([True, False, True]), [[1.0, 0.0, 1.0], []]),
        "String": (pl.Series(["0.5", "4", "2.5"]), [[0.5, 4.0, 2.5]]),
        "String with a word": (pl.Series(["0.5", "good", "2.5"]), [[0.5, BAD, 2.5]]),
        "Categorical": (pl.Series(["0.5", "4", "2.5"], dtype=pl.Categorical), [[0.5, 4.0, 2.5]]),
        "NaN": (pl.Series([0.5, float("nan"), 2.5]), [[0.5, BAD, 2.5]]),
        "infinity": (pl.Series([0.5, float("inf"), 2.5]), [[0.5, BAD, 2.5]]),
        "null": (pl.Series([0.5, None, 2.5]), [[0.5, BAD, 2.5]]),
        "Date": (pl.Series([date(2024, 3, 1)] * 3), []),
        "Duration": (pl.Series([timedelta(days=1), timedelta(days=2), timedelta(days=3)]), []),
        "Binary": (pl.Series([b"4", b"5", b"3"]), []),
        "List": (pl.Series([[4], [5], [3]]), []),
        "Struct": (pl.Series([{"a": 1}, {"a": 2}, {"a": 3}]), []),
        "Null": (pl.Series([None, None, None], dtype=pl.Null), []),
    }
    return {str(dtype()): (pl.Series([1, 5, 3], dtype=dtype), [[1.0, 5.0, 3.0]]) for dtype in INTEGERS} | odd


def _times() -> dict[str, Column]:
    seconds = [1709293024, 1566435909, 1325375999]
    odd: dict[str, Column] = {
        **{
            str(dtype()): (pl.Series(seconds, dtype=dtype), [seconds])
            for dtype in (pl.Int32, pl.Int64, pl.UInt32, pl.UInt64, pl.Float64)
        },
        "Int64, milliseconds": (pl.Series([second * 1000 for second in seconds]), [seconds]),
        "Float64, fractions": (pl.Series([second + 0.5 for second in seconds]), [seconds]),
        "Float64, milliseconds": (pl.Series([second * 1000.0 for second in seconds]), [seconds]),
        "Float64, microseconds": (pl.Series([second * 1e6 for second in seconds]), [seconds]),
        "Float64, nanoseconds": (pl.Series([second * 1e9 for second in seconds]), [seconds]),
        "Int64, nanoseconds": (pl.Series([second * 10**9 for second in seconds]), [seconds]),
        "Float64 with NaN": (
            pl.Series([float(seconds[0]), float("nan"), float(seconds[2])]),
            [[seconds[0], 0, seconds[2]]],
        ),
        "Int64 with null": (pl.Series([seconds[0], None, seconds[2]]), [[seconds[0], 0, seconds[2]]]),
        "Decimal": (pl.Series([Decimal(second) for second in seconds], dtype=pl.Decimal(12, 0)), [seconds]),
        "Date": (pl.Series([moment.date() for moment in MIDNIGHTS]), [MIDNIGHTS_S]),
        "Date before 1970": (
            pl.Series([date(2024, 3, 1), date(1969, 12, 31), date(1900, 1, 1)]),
            [[1709251200, -86400, -2208988800]],
        ),
        "Date in 9999": (
            pl.Series([date(2024, 3, 1), date(9999, 12, 31), date(2011, 12, 31)]),
            [[1709251200, 253402214400, 1325289600]],
        ),
        "Datetime with null": (
            pl.Series([MIDNIGHTS[0], None, MIDNIGHTS[2]]),
            [[MIDNIGHTS_S[0], 0, MIDNIGHTS_S[2]]],
        ),
        "String, ISO": (pl.Series(["2024-03-01", "2019-08-22", "2011-12-31"]), [MIDNIGHTS_S]),
        "String, month/day/year": (pl.Series(["03/01/2024", "08/22/2019", "12/31/2011"]), [MIDNIGHTS_S]),
        "String, a word": (
            pl.Series(["2024-03-01", "soon", "2011-12-31"]),
            [[MIDNIGHTS_S[0], BAD, MIDNIGHTS_S[2]]],
        ),
        "Duration": (pl.Series([timedelta(days=1), timedelta(days=2), timedelta(days=3)]), []),
        "Time": (pl.Series([time(11, 37), time(1, 5), time(23, 59)]), []),
        "Boolean": (pl.Series([True, False, True]), []),
        "Binary": (pl.Series([b"1", b"2", b"3"]), []),
        "List": (pl.Series([[1], [2], [3]]), []),
        "Struct": (pl.Series([{"a": 1}, {"a": 2}, {"a": 3}]), []),
    }
    for unit in ("ms", "us", "ns"):
        odd[f"Datetime, {unit}"] = (pl.Series(MIDNIGHTS, dtype=pl.Datetime(unit)), [MIDNIGHTS_S])
    for zone in ("UTC", "America/New_York", "Asia/Kolkata"):
        zoned = pl.Series(MIDNIGHTS).dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
        odd[f"Datetime, {zone}"] = (zoned, [MIDNIGHTS_S])
    return odd


def _files() -> Iterator[Case]:
    frame = pl.DataFrame(ROWS, schema=list(COLUMNS), orient="row")
    packed = io.BytesIO()
    frame.write_parquet(packed)
    whole = packed.getvalue()
    kept, bad = Kept(ROWS), Refused()
    for name, content, right in (
        ("whole", whole, kept),
        ("cut at 100 bytes", whole[:100], bad),
        ("without its last byte", whole[:-1], bad),
        ("without its first bytes", whole[4:], bad),
        ("a byte changed in the footer", whole[:-20] + b"\xff" + whole[-19:], bad),
        ("only the magic", b"PAR1", bad),
        ("the magic twice", b"PAR1PAR1", bad),
        ("the magic and zeros", b"PAR1" + bytes(100) + b"PAR1", bad),
        ("text", table(ROWS).encode(), kept),
    ):
        for file in ("ratings.parquet", "ratings.pq", "ratings.csv", "ratings"):
            asks = (Refused(("Parquet",)),) if name == "text" and ".p" in file else ()
            yield Case(f"{name}, in {file}", content, (right, *asks), file=file, header_lines=None)
    for name, odd, right in (
        ("no rows", frame.clear(), bad),
        ("no columns", pl.DataFrame(), bad),
        ("one row", frame[:1], None),
        ("no ratings", frame.drop("rating"), Refused(("rating",))),
        ("no users", frame.drop("user"), Refused(("user",))),
        ("other names", frame.rename({"user": "who"}), Refused(("who", "--columns"))),
        ("10,000 columns", _wide(frame), kept),
        ("another order", frame.select(reversed(frame.columns)), kept),
        ("names with dots", frame.rename({"user": "a.b"}), Refused(("a.b", "--columns"))),
    ):
        right = right or Kept(ROWS[:1])
        asks = (Refused(("--scale",)),) if len(odd) == 1 else ()
        yield Case(name, odd, (right, *asks), file="ratings.parquet")
    twice = pl.concat([frame, frame])
    yield Case("each row twice", twice, (Kept(ROWS, rejected=4, says="duplicate"),), file="ratings.parquet")


def _wide(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.lit(0).alias(f"c{number}") for number in range(10_000))
