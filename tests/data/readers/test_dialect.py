"""Separator, header and quotes are those that the first lines have, whatever the file is called."""

from pathlib import Path

import pytest
from tests.data.conftest import ROWS
from tests.data.readers.conftest import HEADER, LINES, rows_of, values, write

from movielens_recsys.data.readers.dialect import split_fields
from movielens_recsys.errors import ReadError


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt", "a.inter", "a.data", "a.dat", "a"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "::"])
def test_the_content_decides_before_the_ending(tmp_path: Path, name: str, separator: str):
    (tmp_path / name).write_text("\n".join([HEADER, *LINES]).replace(",", separator))
    assert values(rows_of(tmp_path / name)) == ROWS


@pytest.mark.parametrize(("name", "separator"), [("u.data", "\t"), ("ratings.dat", "::"), ("u.data", ",")])
def test_official_files_without_names_are_read(tmp_path: Path, name: str, separator: str):
    (tmp_path / name).write_text("\n".join(LINES).replace(",", separator))
    assert values(rows_of(tmp_path / name)) == ROWS


def test_a_file_without_names_is_asked_about_and_read_when_it_is_said(tmp_path: Path):
    write(tmp_path, a__csv="\n".join(LINES))
    with pytest.raises(ReadError, match=r"has no names of columns.*'1 10 5.0.*add --no-header"):
        rows_of(tmp_path / "a.csv")
    assert values(rows_of(tmp_path / "a.csv", header=False)) == ROWS
    turned = {"user": "2", "item": "1", "rating": "3"}
    assert rows_of(tmp_path / "a.csv", columns=turned)["user"].to_list() == [row[1] for row in ROWS]


def test_two_separators_that_fit_are_asked_for(tmp_path: Path):
    write(tmp_path, a__csv="a,b;c,d;e\n1,2;3,4;5\n")
    with pytest.raises(ReadError, match=r"can be split at ',' and ';'.*--separator ','"):
        rows_of(tmp_path / "a.csv", columns={"user": "1", "item": "2", "rating": "3"})
    stated = rows_of(tmp_path / "a.csv", separator=";", columns={"user": "1", "item": "2", "rating": "3"})
    assert stated.rows() == [(2, "1,2", "3,4", 5.0)]


def test_a_stated_separator_may_be_any_text(tmp_path: Path):
    write(tmp_path, a__txt="\n".join([HEADER, *LINES]).replace(",", " ~ "))
    assert values(rows_of(tmp_path / "a.txt", separator="~")) == ROWS
    with pytest.raises(ReadError, match=r"has no '#'.*--separator"):
        rows_of(tmp_path / "a.txt", separator="#")


def test_the_line_that_tells_a_spreadsheet_the_separator_is_understood(tmp_path: Path):
    write(tmp_path, a__csv="sep=;\n" + "\n".join([HEADER, *LINES]).replace(",", ";"))
    assert values(rows_of(tmp_path / "a.csv")) == ROWS


@pytest.mark.parametrize("first", ["# exported today", "My ratings"])
def test_a_first_line_that_is_no_part_of_the_table_is_shown(tmp_path: Path, first: str):
    write(tmp_path, a__csv="\n".join([first, HEADER, *LINES]))
    with pytest.raises(ReadError, match=rf"the first line of .*has no tab.*'{first}'"):
        rows_of(tmp_path / "a.csv")


def test_a_header_that_never_closes_a_field_is_refused(tmp_path: Path):
    write(tmp_path, a__csv='"user,item,rating\n1,2,3\n')
    with pytest.raises(ReadError, match=r"line 1: a quotation mark opens a field that is not closed"):
        rows_of(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("line", "separator", "fields"),
    [
        ('1,"a, ""b""",3', ",", ["1", 'a, "b"', "3"]),
        ('1;a "b";3', ";", ["1", 'a "b"', "3"]),
        ('1\t"a\tb"', "\t", ["1", '"a', 'b"']),
        (",,", ",", ["", "", ""]),
        ('"a" b,c', ",", ['"a" b', "c"]),
    ],
)
def test_fields_are_enclosed_only_where_quotes_are_meant(line: str, separator: str, fields: list[str]):
    assert split_fields(line, separator) == fields
