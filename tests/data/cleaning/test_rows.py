"""Cleaning: every row is kept, repaired or rejected, and the counts are exact."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.cleaning.conftest import HALF_STEPS, NOW, WHOLE_STEPS, findings, frame

from movielens_recsys.data.cleaning.rows import clean_rows
from movielens_recsys.data.readers.faults import Fault, fault_frame
from movielens_recsys.errors import ReadError

GOOD = [(1, 10, 4.0, 100), (1, 11, 5.0, 101), (2, 10, 1.0, 102)]


@pytest.mark.parametrize("timestamps", [True, False])
def test_good_rows_pass_untouched(timestamps):
    table = frame(GOOD, timestamps=timestamps)
    cleaned = clean_rows(table, WHOLE_STEPS, now=NOW)
    assert cleaned.frame.equals(table)
    assert (cleaned.rejected, cleaned.findings, cleaned.scale) == ({}, (), WHOLE_STEPS)


BAD = [
    ((None, 10, 3.0, 1), "user_missing", "user id is missing"),
    ((1, None, 3.0, 1), "item_missing", "item id is missing"),
    ((1, 10, None, 1), "rating_missing", "rating is missing"),
    ((1, 10, float("nan"), 1), "rating_unreadable", "rating is not a number, found 'NaN'"),
    ((1, 10, float("inf"), 1), "rating_unreadable", "rating is not a number, found 'inf'"),
    ((1, 10, 7.5, 1), "rating_out_of_scale", "rating is outside the scale, found 7.5"),
    ((1, 10, 0.0, 1), "rating_out_of_scale", "rating is outside the scale, found 0.0"),
    ((1, 10, 3.5, 1), "rating_off_step", "rating is between two steps of the scale, found 3.5"),
]


@pytest.mark.parametrize(("row", "reason", "words"), BAD, ids=lambda value: str(value)[:30])
def test_a_bad_row_is_refused_by_its_line_or_rejected_by_its_reason(row, reason, words):
    table = frame([(5, 5, 3.0, 1), row, (6, 6, 3.0, 1), row])
    with pytest.raises(ReadError) as caught:
        clean_rows(table, WHOLE_STEPS, source="ratings.csv", now=NOW)
    assert str(caught.value).startswith(f"ratings.csv line 3: the {words} (and 1 more bad row)")
    assert "--on-bad-rows reject" in caught.value.next_step
    cleaned = clean_rows(table, WHOLE_STEPS, bad_rows="reject", now=NOW)
    assert cleaned.rejected == {reason: 2}
    assert cleaned.frame["row"].to_list() == [2, 4]
    assert findings(cleaned)[f"rows_with_{reason}"] == 2


def test_negative_ids_are_ids_and_are_told():
    cleaned = clean_rows(
        frame([(-1, 10, 4.0, 100), (-1, -7, 5.0, 101), (2, 10, 1.0, 102)]), WHOLE_STEPS, now=NOW
    )
    assert cleaned.frame.height == 3
    assert findings(cleaned) == {"user_ids_negative": 2, "item_ids_negative": 1}


def test_faults_of_the_reader_are_rejected_first():
    faults = fault_frame([Fault(3, "timestamp_unreadable", "soon"), Fault(3, "user_missing", "")])
    cleaned = clean_rows(frame(GOOD), WHOLE_STEPS, bad_rows="reject", now=NOW, faults=faults)
    assert cleaned.rejected == {"user_missing": 1}
    with pytest.raises(ReadError, match=r"line 3: the time cannot be read, found 'soon'.*--time-format"):
        clean_rows(frame(GOOD), WHOLE_STEPS, faults=faults.head(1))


def test_text_ids_may_be_anything_but_blank():
    table = frame([("-1", "x", 3.0, 1), ("", "x", 3.0, 1), ("é", "  ", 3.0, 1)], ids=pl.String)
    cleaned = clean_rows(table, WHOLE_STEPS, bad_rows="reject", now=NOW)
    assert cleaned.rejected == {"user_missing": 1, "item_missing": 1}
    assert cleaned.frame["user"].to_list() == ["-1"]


def test_nothing_left_is_an_error():
    with pytest.raises(ReadError, match="there are no rows"):
        clean_rows(frame([]), WHOLE_STEPS)
    with pytest.raises(ReadError, match="all 2 rows are bad"):
        clean_rows(frame([(1, 1, 9.0, 1), (1, None, 3.0, 1)]), WHOLE_STEPS, bad_rows="reject")


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
        clean_rows(table, WHOLE_STEPS, source="mine.csv")


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
    cleaned = clean_rows(table, HALF_STEPS, bad_rows="reject", now=NOW)
    assert table.height == cleaned.frame.height + sum(cleaned.rejected.values())
    kept = cleaned.frame
    assert kept["row"].is_sorted()
    assert not kept.select("user", "item").is_duplicated().any()
    assert kept["rating"].is_in(HALF_STEPS.levels.astype(float).tolist()).all()
    good = {(user, item) for user, item, ratings, _ in rows if None not in (user, item) and item is not None
            and ratings in (0.5, 1.0, 2.5, 5.0)}  # fmt: skip
    assert set(kept.select("user", "item").rows()) == good | {(1, 99)}
