"""Repairs: times become seconds, and one rating of each user and item remains."""

from __future__ import annotations

import polars as pl
import pytest
from tests.data.cleaning.conftest import NOW, WHOLE_STEPS, findings, frame

from movielens_recsys.data.cleaning.rows import clean_rows


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
        rows = [(f"u{user}", f"i{item}", ratings, time) for user, item, ratings, time in rows]
    cleaned = clean_rows(frame(rows, ids=ids), WHOLE_STEPS, now=NOW)
    assert cleaned.frame["row"].to_list() == kept
    assert cleaned.rejected == {"duplicate": len(rows) - len(kept)}
    assert findings(cleaned)["rows_duplicate"] == len(rows) - len(kept)


def test_without_times_the_last_line_is_kept():
    cleaned = clean_rows(frame([(1, 1, 2.0, 9), (1, 1, 4.0, 1)], timestamps=False), WHOLE_STEPS, now=NOW)
    assert cleaned.frame["rating"].to_list() == [4.0]


def test_ids_at_the_edge_of_64_bits_stay_distinct():
    top = 2**63 - 1
    rows = [(top, 0, 3.0, 1), (top, top, 3.0, 1), (0, top, 3.0, 1), (top, top, 4.0, 2)]
    cleaned = clean_rows(frame(rows), WHOLE_STEPS, now=NOW)
    assert cleaned.frame["row"].to_list() == [2, 4, 5]


def test_odd_times_are_kept_and_reported():
    times = [None, 0, -5, NOW, NOW + 3600, NOW + 10**7]
    cleaned = clean_rows(
        frame([(1, item, 3.0 + item % 2, time) for item, time in enumerate(times)]), WHOLE_STEPS, now=NOW
    )
    assert cleaned.frame["timestamp"].to_list() == [0, 0, -5, NOW, NOW + 3600, NOW + 10**7]
    assert findings(cleaned) == {
        "timestamps_missing": 1,
        "timestamps_unset": 2,
        "timestamps_in_future": 1,
    }


def test_a_column_of_times_without_a_value_is_dropped():
    cleaned = clean_rows(frame([(1, 1, 3.0, None), (1, 2, 3.0, None)]), WHOLE_STEPS, now=NOW)
    assert "timestamp" not in cleaned.frame.columns
