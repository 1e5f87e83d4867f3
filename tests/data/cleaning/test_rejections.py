"""Bad rows are refused at the first, or left out and counted by reason."""

from __future__ import annotations

import polars as pl
import pytest

from movielens_recsys.data.cleaning.rejections import Rejections, faults_of
from movielens_recsys.data.readers.faults import Fault, fault_frame
from movielens_recsys.errors import ReadError

ROWS = pl.DataFrame({"row": pl.Series([2, 3, 6], dtype=pl.UInt32), "rating": [4.0, 9.0, 1.0]})
FAULTS = fault_frame([
    Fault(6, "user_missing", "nan"),
    Fault(6, "row_fields", "3 fields instead of 4"),
    Fault(3, "rating_unreadable", "4,5"),
])  # fmt: skip


def test_the_first_fault_is_refused_with_what_stands_there():
    with pytest.raises(ReadError) as caught:
        Rejections("refuse", "a.csv").drop(ROWS, FAULTS)
    assert str(caught.value) == (
        "a.csv line 3: the rating is not a number, found '4,5' (and 1 more bad row); "
        "correct the file, or leave such rows out with --on-bad-rows reject"
    )
    with pytest.raises(ReadError, match="row 6: the number of fields is wrong, found 3 fields instead of 4"):
        Rejections("refuse", "", "row").drop(ROWS, FAULTS.head(2))


def test_rejected_rows_are_counted_once_with_their_first_line():
    rejections = Rejections("reject", "a.csv")
    assert rejections.drop(ROWS, FAULTS)["row"].to_list() == [2]
    assert rejections.counts == {"rating_unreadable": 1, "row_fields": 1}
    assert {finding.name for finding in rejections.findings} == {
        "rows_with_rating_unreadable",
        "rows_with_row_fields",
    }
    assert any("the first on line 3: found '4,5'" in finding.advice for finding in rejections.findings)


def test_when_nothing_is_left_the_reason_is_said():
    rejections = Rejections("reject", "a.csv")
    faults = fault_frame([Fault(row, "timestamp_unreadable", "soon") for row in (2, 3, 6)])
    with pytest.raises(ReadError, match=r"all 3 rows are bad: 3 rows .* line 2: found 'soon'.*--time-format"):
        rejections.require_any_row(rejections.drop(ROWS, faults), 3)


def test_expressions_give_faults_with_a_value():
    faults = faults_of(ROWS, {"rating_out_of_scale": pl.col("rating") > 5}, pl.col("rating"))
    assert faults.rows() == [(3, "rating_out_of_scale", "9.0")]


def test_one_row_is_told_in_the_singular():
    rejections = Rejections("reject", "a.csv")
    rejections.drop(ROWS, FAULTS.tail(1))
    assert rejections.findings[0].advice.startswith("1 row was left out because")
