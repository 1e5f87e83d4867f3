"""Delimited rating files: what cannot be read becomes null, and every line keeps its number."""

from pathlib import Path

import pytest
from tests.data.readers.conftest import HEADER, read_folder, rows_of, values

from movielens_recsys.errors import ReadError


@pytest.mark.parametrize("bad", ["4,5", "four", "", "NaN-ish", "5 stars"])
def test_a_rating_that_is_no_number_is_null_and_keeps_its_line(tmp_path: Path, bad: str):
    (tmp_path / "u.data").write_text(f"1\t2\t3\t4\n1\t3\t{bad}\t5\n")
    frame = rows_of(tmp_path / "u.data")
    assert frame.row(1) == (2, 1, 3, None, 5)


@pytest.mark.parametrize("line", ["1::2::3", "1::2::3::4::5", "1:2:3:4", "nonsense", "::"])
def test_a_line_with_another_number_of_fields_is_null_and_keeps_its_line(tmp_path: Path, line: str):
    (tmp_path / "ratings.dat").write_text(f"1::2::3::4\n{line}\n5::6::1::8\n")
    frame = rows_of(tmp_path / "ratings.dat")
    assert frame.height == 3
    assert frame["row"].to_list() == [1, 2, 3]
    assert frame.row(1)[3] is None
    assert values(frame)[2] == (5, 6, 1.0, 8)


def test_a_decimal_comma_is_never_read_as_two_fields(tmp_path: Path):
    (tmp_path / "ratings.csv").write_text(f"{HEADER}\n1,2,4,5,964982703\n1,3,4.0,964982703\n")
    frame = read_folder(tmp_path).rows
    assert frame["rating"].to_list() == [None, 4.0]


def test_blank_lines_do_not_shift_the_numbers(tmp_path: Path):
    (tmp_path / "u.data").write_bytes(b"1\t2\t3\t4\r\n\r\n  \n1\t3\t3\t4\n\n")
    assert rows_of(tmp_path / "u.data")["row"].to_list() == [1, 4]


@pytest.mark.parametrize("name", ["u.data", "ratings.dat", "a.csv", "a.tsv", "a.parquet", "a.inter"])
def test_an_empty_file_is_refused_by_name(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ReadError, match=name):
        rows_of(tmp_path / name)
