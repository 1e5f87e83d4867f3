"""Delimited rating files: every line is accounted for, and a field that cannot be read is a fault."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.readers.conftest import HEADER, faults_of, forms_of, rows_of, values, write

from movielens_recsys.data.readers import read_ratings
from movielens_recsys.data.readers.options import ReadOptions
from movielens_recsys.errors import ReadError


@pytest.mark.parametrize("bad", ["four", "4/5", "5 stars", "inf"])
def test_a_rating_that_is_no_number_is_a_fault_with_its_line_and_text(tmp_path: Path, bad: str):
    (tmp_path / "u.data").write_text(f"1\t2\t3\t4\n1\t3\t{bad}\t5\n")
    assert rows_of(tmp_path / "u.data").row(1) == (2, 1, 3, None, 5)
    assert faults_of(tmp_path / "u.data") == [(2, "rating_unreadable", bad)]


@pytest.mark.parametrize(
    ("line", "found"), [("1::2::3", 3), ("1::2::3::4::5", 5), ("1:2:3:4", 1), ("nonsense", 1), ("::", 2)]
)
def test_a_line_with_another_number_of_fields_is_a_fault(tmp_path: Path, line: str, found: int):
    (tmp_path / "ratings.dat").write_text(f"1::2::3::4\n{line}\n5::6::1::8\n")
    frame = rows_of(tmp_path / "ratings.dat")
    assert frame["row"].to_list() == [1, 2, 3]
    assert values(frame)[2] == (5, 6, 1.0, 8)
    assert faults_of(tmp_path / "ratings.dat") == [(2, "row_fields", f"{found} fields instead of 4")]


def test_blank_lines_do_not_shift_the_numbers_and_are_counted(tmp_path: Path):
    (tmp_path / "u.data").write_bytes(b"1\t2\t3\t4\r\n\r\n  \n1\t3\t3\t4\n\n")
    read = read_ratings(tmp_path / "u.data")
    assert read.frame["row"].to_list() == [1, 4]
    account = read.account
    assert (account.lines, account.header_lines, account.blank_lines, account.row_lines) == (5, 0, 3, 2)


@pytest.mark.parametrize("name", ["u.data", "ratings.dat", "a.csv", "a.tsv", "a.parquet", "a.inter"])
@pytest.mark.parametrize("content", [b"", b"\n\n", b"user,item,rating\n"])
def test_a_file_without_a_row_is_refused_by_name(tmp_path: Path, name: str, content: bytes):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ReadError, match=name):
        rows_of(tmp_path / name)


field = st.text(st.characters(blacklist_characters=',"\r\n\0', blacklist_categories=["Cs"]), max_size=4)
line = st.one_of(
    st.just("1,2,3,x"),
    st.just('7,8,4,"a, ""b"""'),
    st.just('7,8,4,"over\ntwo lines"'),
    st.just(""),
    st.lists(field, max_size=5).map(",".join),
)


@given(st.lists(line, min_size=1, max_size=12), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_lines_are_header_blank_lines_and_lines_of_rows(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], end: str, ended: bool
):
    path = tmp_path_factory.mktemp("any") / "a.csv"
    text = "\n".join(["user,item,rating,title", "1,2,3,x", *lines]) + "\n" * ended
    path.write_bytes(text.replace("\n", end).encode())
    read = read_ratings(path)
    account = read.account
    in_file = text.count("\n") + (not text.endswith("\n"))
    assert account.lines == in_file == account.header_lines + account.blank_lines + account.row_lines
    assert read.frame.height <= account.row_lines
    assert read.frame["row"].is_sorted()


def test_the_account_names_columns_and_what_is_ignored(tmp_path: Path):
    write(tmp_path, a__csv="note;user;item;rating;date\nx;ann;7;4,5;31.12.2024\ny;bob;8;3;1.1.2025\n")
    account = read_ratings(tmp_path / "a.csv").account
    assert account.form == "text, separated by ';', names on line 1"
    assert account.ignored == ("note",)
    assert [(column.column, column.name) for column in account.columns] == [
        ("user", "user"),
        ("item", "item"),
        ("rating", "rating"),
        ("timestamp", "date"),
    ]
    forms = forms_of(tmp_path / "a.csv")
    assert forms["user"] == "text"
    assert forms["item"] == "whole numbers"
    assert forms["rating"] == "numbers with decimal commas"
    assert forms["timestamp"].startswith("dates day/month/year")
    assert forms["timestamp"].endswith("2024-12-31 to 2025-01-01")


def test_quotation_marks_around_every_field_between_tabs_are_taken_off_and_said(tmp_path: Path):
    write(tmp_path, a__tsv='"user"\t"item"\t"rating"\n"1"\t2\t"3"\n"4"\t5\t"1"\n')
    assert rows_of(tmp_path / "a.tsv").rows() == [(2, 1, 2, 3.0), (3, 4, 5, 1.0)]
    assert forms_of(tmp_path / "a.tsv")["user"] == "whole numbers, enclosed in quotation marks"
    assert forms_of(tmp_path / "a.tsv")["item"] == "whole numbers"


def test_every_field_is_read_as_it_stands_beside_a_stated_form(tmp_path: Path):
    write(tmp_path, a__csv=f"{HEADER}\n1,2,4,0\n1,3,5,86400\n")
    days = rows_of(tmp_path / "a.csv", time_format="days")
    assert days["timestamp"].to_list() == [0, 86400 * 86400]
    assert read_ratings(tmp_path / "a.csv", ReadOptions(time_format="seconds")).frame["timestamp"][1] == 86400
