"""The same rules for users, items, ratings and times: a value is read, or a fault with its text."""

from pathlib import Path

import pytest
from tests.data.readers.conftest import faults_of, forms_of, rows_of, write

GAPS = ["", "nan", "NaN", "NULL", "null", "None", "NA", r"\N", "<NA>"]


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("column", ["user", "item", "rating"])
def test_empty_fields_and_words_for_gaps_are_missing(tmp_path: Path, column: str, gap: str):
    row = {"user": "1.0", "item": "2.0", "rating": "3", column: gap}
    write(tmp_path, a__csv=f"user,item,rating\n1.0,2.0,4\n{','.join(row.values())}\n5.0,6.0,1\n")
    assert faults_of(tmp_path / "a.csv") == [(3, f"{column}_missing", gap)]
    frame = rows_of(tmp_path / "a.csv")
    assert frame[column].null_count() == 1
    assert frame["user"].drop_nulls()[-1] == 5


def test_a_missing_time_is_null_and_no_fault(tmp_path: Path):
    write(tmp_path, a__csv="user,item,rating,timestamp\n1,2,3,1700000000\n1,3,4,\n")
    assert rows_of(tmp_path / "a.csv")["timestamp"].to_list() == [1_700_000_000, None]
    assert faults_of(tmp_path / "a.csv") == []


def test_a_row_that_is_bad_for_another_reason_does_not_decide_on_ids(tmp_path: Path):
    rows = ["1,2,3,1700000000", "user,item,rating,timestamp", "Total,,7,", "4,5,1,1700000001"]
    write(tmp_path, a__csv="\n".join(["user,item,rating,timestamp", *rows]))
    assert rows_of(tmp_path / "a.csv")["user"].to_list() == [1, None, None, 4]
    reasons = faults_of(tmp_path / "a.csv")
    assert (3, "rating_unreadable", "rating") in reasons
    assert (4, "item_missing", "") in reasons


def test_spaces_around_fields_are_no_part_of_them(tmp_path: Path):
    write(tmp_path, a__csv="user, item , rating\n ann,7 , 3\nbob , 8,4 \n")
    assert rows_of(tmp_path / "a.csv").rows() == [(2, "ann", 7, 3.0), (3, "bob", 8, 4.0)]


@pytest.mark.parametrize("name", ["export", "floats", "quoted"])
def test_one_file_has_one_answer(tmp_path: Path, name: str):
    times = {"export": "2009-12-14 02:52:24", "floats": "1260759144.0", "quoted": '"1260759144"'}
    write(tmp_path, ratings__csv=f"userId,movieId,rating,timestamp\n1,31,2.5,{times[name]}\n")
    assert rows_of(tmp_path / "ratings.csv").row(0) == (2, 1, 31, 2.5, 1260759144)
    assert forms_of(tmp_path / "ratings.csv")["user"] == "whole numbers"
