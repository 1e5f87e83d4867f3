"""The bytes of a file: its kind, its encoding and its lines, counted apart from any parser."""

import gzip
from pathlib import Path

import pytest
from tests.data.conftest import ROWS
from tests.data.readers.conftest import HEADER, LINES, rows_of, values

from movielens_recsys.data.readers import read_ratings
from movielens_recsys.data.readers.source import open_source
from movielens_recsys.errors import ReadError

TEXT = "\n".join([HEADER, *LINES, ""])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_lines_end_in_three_ways_and_are_counted(tmp_path: Path, end: str, last: bool):
    path = tmp_path / "a.csv"
    path.write_bytes(end.join([HEADER, *LINES]).encode() + end.encode() * last)
    assert open_source(path).lines == 1 + len(LINES)
    assert values(rows_of(path)) == ROWS


def test_lone_carriage_returns_between_other_line_ends_are_refused(tmp_path: Path):
    (tmp_path / "a.csv").write_bytes(b"user,item,rating\n1,2,3\r4,5,1\n")
    with pytest.raises(ReadError, match=r"2 lines that end with LF, and 1 lone CRs"):
        rows_of(tmp_path / "a.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides_the_encoding(tmp_path: Path, encoding: str):
    (tmp_path / "a.csv").write_bytes(TEXT.encode(encoding))
    assert values(rows_of(tmp_path / "a.csv")) == ROWS


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TEXT.encode("utf-16-le"), "may be UTF-16"),
        (b"SQLite format 3\0" + bytes(100), "an SQLite database"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\x80\x04\x95", "a pickle.*never opened"),
        (b'[{"user": 1}]', "JSON"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\x28\xb5\x2f\xfd", "Zstandard"),
        (b"\xd0\xcf\x11\xe0", "Excel workbook.*save its sheet as CSV"),
        (f"{TEXT}1,2\x003,4,5\n".encode(), "line 6 holds a zero byte"),
    ],
)
def test_what_is_no_text_is_refused_by_what_it_is(tmp_path: Path, content: bytes, words: str):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ReadError, match=words):
        rows_of(tmp_path / "a.csv")


def test_what_was_done_to_the_bytes_is_said(tmp_path: Path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(TEXT.replace("\n", "\r").encode()))
    read = read_ratings(tmp_path / "a.csv.gz")
    assert values(read.frame) == ROWS
    assert read.account.form.endswith("; unpacked from gzip; carriage returns end its lines")


def test_bytes_that_are_not_utf_8_matter_in_the_columns_that_are_read(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_bytes("user,item,rating,title\n1,2,3,Plain\n1,3,4,Amélie\n".encode("latin-1"))
    read = read_ratings(path)
    assert read.frame.height == 2
    assert [(finding.name, finding.value) for finding in read.findings] == [("text_not_utf8", 3.0)]
    path.write_bytes("user,item,rating\nAnn,2,3\nJosé,3,4\n".encode("latin-1"))
    with pytest.raises(ReadError, match=r"a\.csv line 3: the user is not UTF-8"):
        read_ratings(path)
