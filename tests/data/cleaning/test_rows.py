"""Screening: every row is kept, repaired or rejected, and the account is exact."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movielens_recsys.data.cleaning.rows import clean_rows
from movielens_recsys.data.ratings import Scale
from movielens_recsys.errors import ReadError

STARS = Scale(1, 5, 1)
HALF_STARS = Scale(0.5, 5, 0.5)
NOW = 1_700_000_000


def frame(rows, *, ids=pl.Int64, timestamps=True):
    """A table of (user, item, rating, timestamp) rows, the first on line 2 as below a header."""
    schema = {"user": ids, "item": ids, "rating": pl.Float64, "timestamp": pl.Int64}
    table = pl.DataFrame(rows, schema=schema, orient="row").with_row_index("row", offset=2)
    table = table.with_columns(pl.col("row").cast(pl.Int64))
    return table if timestamps else table.drop("timestamp")


def findings(screened):
    return {finding.name: finding.value for finding in screened.findings}


GOOD = [(1, 10, 4.0, 100), (1, 11, 5.0, 101), (2, 10, 1.0, 102)]


@pytest.mark.parametrize("timestamps", [True, False])
def test_good_rows_pass_untouched(timestamps):
    table = frame(GOOD, timestamps=timestamps)
    screened = clean_rows(table, STARS, now=NOW)
    assert screened.frame.equals(table)
    assert (screened.rejected, screened.findings, screened.scale) == ({}, (), STARS)


BAD = [
    ((None, 10, 3.0, 1), "user_missing", "user id is missing, found None"),
    ((-1, 10, 3.0, 1), "user_negative", "user id is negative, found -1"),
    ((1, None, 3.0, 1), "item_missing", "item id is missing, found None"),
    ((1, -7, 3.0, 1), "item_negative", "item id is negative, found -7"),
    ((1, 10, None, 1), "rating_missing", "rating is missing or not a number, found None"),
    ((1, 10, float("nan"), 1), "rating_missing", "rating is missing or not a number, found nan"),
    ((1, 10, float("inf"), 1), "rating_missing", "rating is missing or not a number, found inf"),
    ((1, 10, 7.5, 1), "rating_out_of_scale", "rating is outside the scale, found 7.5"),
    ((1, 10, 0.0, 1), "rating_out_of_scale", "rating is outside the scale, found 0.0"),
    ((1, 10, 3.5, 1), "rating_off_step", "rating is between two steps of the scale, found 3.5"),
]


@pytest.mark.parametrize(("row", "reason", "words"), BAD, ids=lambda value: str(value)[:30])
def test_a_bad_row_is_refused_by_its_line_or_rejected_by_its_reason(row, reason, words):
    table = frame([(5, 5, 3.0, 1), row, (6, 6, 3.0, 1), row])
    with pytest.raises(ReadError) as caught:
        clean_rows(table, STARS, source="ratings.csv", now=NOW)
    assert str(caught.value).startswith(f"ratings.csv line 3: the {words} (and 1 more bad rows)")
    assert "--on-bad-rows reject" in caught.value.next_step
    screened = clean_rows(table, STARS, bad_rows="reject", now=NOW)
    assert screened.rejected == {reason: 2}
    assert screened.frame["row"].to_list() == [2, 4]
    assert findings(screened)[f"rows_with_{reason}"] == 2


def test_text_ids_may_be_anything_but_blank():
    table = frame([("-1", "x", 3.0, 1), ("", "x", 3.0, 1), ("é", "  ", 3.0, 1)], ids=pl.String)
    screened = clean_rows(table, STARS, bad_rows="reject", now=NOW)
    assert screened.rejected == {"user_missing": 1, "item_missing": 1}
    assert screened.frame["user"].to_list() == ["-1"]


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        ([(1, 1, 2.0, 50), (2, 2, 3.0, 1), (1, 1, 4.0, 40)], [2, 3]),
        ([(1, 1, 2.0, 40), (2, 2, 3.0, 1), (1, 1, 4.0, 50)], [3, 4]),
        ([(1, 1, 2.0, 40), (1, 1, 3.0, 40), (1, 1, 4.0, None)], [3]),
    ],
    ids=["latest first", "latest last", "equal times: the last line"],
)
@pytest.mark.parametrize("ids", [pl.Int64, pl.String])
def test_of_repeated_ratings_the_latest_is_kept(rows, kept, ids):
    if ids == pl.String:
        rows = [(f"u{user}", f"i{item}", stars, time) for user, item, stars, time in rows]
    screened = clean_rows(frame(rows, ids=ids), STARS, now=NOW)
    assert screened.frame["row"].to_list() == kept
    assert screened.rejected == {"duplicate": len(rows) - len(kept)}
    assert findings(screened)["rows_duplicate"] == len(rows) - len(kept)


def test_without_times_the_last_line_is_kept():
    screened = clean_rows(frame([(1, 1, 2.0, 9), (1, 1, 4.0, 1)], timestamps=False), STARS, now=NOW)
    assert screened.frame["rating"].to_list() == [4.0]


def test_ids_at_the_edge_of_64_bits_are_told_apart():
    top = 2**63 - 1
    rows = [(top, 0, 3.0, 1), (top, top, 3.0, 1), (0, top, 3.0, 1), (top, top, 4.0, 2)]
    screened = clean_rows(frame(rows), STARS, now=NOW)
    assert screened.frame["row"].to_list() == [2, 4, 5]


@pytest.mark.parametrize("factor", [10**3, 10**6, 10**9], ids=["ms", "us", "ns"])
def test_finer_times_become_seconds(factor):
    seconds = [881_250_949, 1_537_799_250, 1_600_000_000]
    rows = [(1, item, 3.0, time * factor + 7) for item, time in enumerate(seconds)]
    screened = clean_rows(frame([*rows, (2, 1, 3.0, 1_500_000_000)]), STARS, now=NOW)
    assert screened.frame["timestamp"].to_list() == [*seconds, 1_500_000_000]
    assert findings(screened) == {"timestamps_finer_than_seconds": 3}


def test_odd_times_are_kept_and_reported():
    times = [None, 0, -5, NOW, NOW + 3600, NOW + 10**7]
    screened = clean_rows(frame([(1, item, 3.0, time) for item, time in enumerate(times)]), STARS, now=NOW)
    assert screened.frame["timestamp"].to_list() == [0, 0, -5, NOW, NOW + 3600, NOW + 10**7]
    assert findings(screened) == {
        "timestamps_missing": 1,
        "timestamps_unset": 2,
        "timestamps_in_future": 1,
    }


def test_a_column_of_times_without_a_value_is_dropped():
    screened = clean_rows(frame([(1, 1, 3.0, None), (1, 2, 3.0, None)]), STARS, now=NOW)
    assert "timestamp" not in screened.frame.columns


@pytest.mark.parametrize(
    ("stars", "scale"),
    [
        ([1, 2, 5], Scale(1, 5, 1)),
        ([0.5, 3, 5], Scale(0.5, 5, 0.5)),
        ([0.5, 1.5], Scale(0.5, 1.5, 0.5)),
        ([-10, 10], Scale(-10, 10, 1)),
        ([0.25, 0.75, 1.0], Scale(0.25, 1.0, 0.25)),
    ],
)
def test_the_scale_is_inferred(stars, scale):
    screened = clean_rows(frame([(1, item, float(s), 1) for item, s in enumerate(stars)]), None, now=NOW)
    assert screened.scale == scale
    assert findings(screened) == {"scale_inferred": len(scale.levels)}


@pytest.mark.parametrize(
    ("stars", "words"),
    [
        ([3, 3], "every rating is 3"),
        ([1, 2, 9999], "3 different ratings from 1 to 9999"),
        ([1, 2.3, 4.7], "3 different ratings from 1 to 4.7"),
        ([number / 7 for number in range(150)], "150 different ratings"),
    ],
)
def test_no_scale_is_made_up(stars, words):
    table = frame([(1, item, float(s), 1) for item, s in enumerate(stars)])
    with pytest.raises(ReadError, match=words) as caught:
        clean_rows(table, None, source="mine.csv")
    assert str(caught.value).startswith("mine.csv: ")
    assert "state the scale" in caught.value.next_step


def test_nothing_left_is_an_error():
    with pytest.raises(ReadError, match="there are no rows"):
        clean_rows(frame([]), STARS)
    with pytest.raises(ReadError, match="all 2 rows are bad"):
        clean_rows(frame([(1, 1, 9.0, 1), (1, None, 3.0, 1)]), STARS, bad_rows="reject")


@pytest.mark.parametrize(
    "table",
    [
        frame(GOOD).drop("rating"),
        frame(GOOD).drop("row"),
        frame(GOOD).with_columns(pl.col("rating").cast(pl.String)),
        frame(GOOD).with_columns(pl.col("user").cast(pl.Float64)),
        frame(GOOD).with_columns(extra=1),
    ],
    ids=["no rating", "no row", "text rating", "float id", "another column"],
)
def test_wrong_columns_are_named(table):
    with pytest.raises(ReadError, match=r"mine.csv has the columns .*; expected row, user and item"):
        clean_rows(table, STARS, source="mine.csv")


maybe = st.sampled_from
row = st.tuples(
    maybe([None, -1, 0, 1, 2, 2**60]),
    maybe([None, -3, 1, 2, 3]),
    maybe([None, float("nan"), 0.0, 0.5, 1.0, 2.5, 2.7, 5.0, 6.0]),
    maybe([None, 0, 5, 900, 10**12]),
)


@given(st.lists(row, min_size=1, max_size=40))
@settings(deadline=None, max_examples=200)
def test_rows_read_are_rows_kept_and_rejected(rows):
    table = frame([(1, 99, 4.0, 7), *rows])
    screened = clean_rows(table, HALF_STARS, bad_rows="reject", now=NOW)
    assert table.height == screened.frame.height + sum(screened.rejected.values())
    kept = screened.frame
    assert kept["row"].is_sorted()
    assert not kept.select("user", "item").is_duplicated().any()
    assert kept["rating"].is_in(HALF_STARS.levels.astype(float).tolist()).all()
    good = {(user, item) for user, item, stars, _ in rows if None not in (user, item) and user >= 0 < item
            and stars in (0.5, 1.0, 2.5, 5.0)}  # fmt: skip
    assert set(kept.select("user", "item").rows()) == good | {(1, 99)}
