"""Rating files with a header: columns, separators, types and quotes are recognized, or refused by name."""

from pathlib import Path

import polars as pl
import pytest
from tests.data.conftest import ROWS
from tests.data.readers.conftest import HEADER, LINES, rows_of, values, write

from movielens_recsys.errors import ReadError


def test_columns_are_found_by_name_wherever_they_stand(tmp_path: Path):
    lines = ["note,stars,film,who", "x,3.5,7,1", "y,4,8,2"]
    write(tmp_path, mine__csv="\n".join(lines))
    frame = rows_of(tmp_path / "mine.csv", {"user": "who", "item": "film", "rating": "stars"})
    assert frame.rows() == [(2, 1, 7, 3.5), (3, 2, 8, 4.0)]


@pytest.mark.parametrize(
    ("name", "separator"), [("a.csv", ","), ("a.csv", ";"), ("a.tsv", "\t"), ("a.txt", "|"), ("a", "\t")]
)
def test_usual_names_and_separators_are_recognised(tmp_path: Path, name: str, separator: str):
    lines = ["User_ID,Movie ID,Rating,Date", "1,2,3,1970-01-02", "1,3,4,1970-01-01T00:00:05"]
    (tmp_path / name).write_text("\n".join(lines).replace(",", separator))
    assert values(rows_of(tmp_path / name)) == [(1, 2, 3.0, 86400), (1, 3, 4.0, 5)]


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path):
    write(tmp_path, a__csv="\n".join([HEADER, *LINES]).encode("utf-8-sig"))
    assert values(rows_of(tmp_path / "a.csv")) == ROWS


def test_text_ids_stay_text_and_quotes_and_gaps_are_understood(tmp_path: Path):
    write(tmp_path, a__csv='user,item,rating\nann,"tt1, uncut",5\n\nbob,tt2,4.5\n')
    assert rows_of(tmp_path / "a.csv").rows() == [(2, "ann", "tt1, uncut", 5.0), (4, "bob", "tt2", 4.5)]
    write(tmp_path, b__csv="user,item,rating\nann, tt1,5\n,tt2,4.5\n")
    assert rows_of(tmp_path / "b.csv").rows() == [(2, "ann", "tt1", 5.0), (3, None, "tt2", 4.5)]


def test_whole_numbers_written_with_a_fraction_are_whole(tmp_path: Path):
    write(tmp_path, a__csv="user,item,rating,timestamp\n1.0,2.0,4,12.9\n3,4,5,7\n")
    assert values(rows_of(tmp_path / "a.csv")) == [(1, 2, 4.0, 12), (3, 4, 5.0, 7)]


def test_missing_columns_are_named_with_what_is_there(tmp_path: Path):
    write(tmp_path, a__csv="who,film,stars\n1,2,3\n")
    with pytest.raises(ReadError, match=r"no column user and item.*who, film, stars.*--columns"):
        rows_of(tmp_path / "a.csv")
    with pytest.raises(ReadError, match=r"no column 'viewer'.*who, film, stars"):
        rows_of(tmp_path / "a.csv", {"user": "viewer", "item": "film", "rating": "stars"})
    with pytest.raises(ReadError, match=r"no column 'usr'.*did you mean 'user'"):
        rows_of(tmp_path / "a.csv", {"usr": "who"})


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (HEADER.encode("utf-16"), "UTF-16"),
        (f"{HEADER}\nJosé,1,5,1\n".encode("latin-1"), "UTF-8"),
        (b"PK\x03\x04", "zip"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\xff\n", "UTF-8"),
    ],
)
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes, kind: str):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ReadError, match=kind):
        rows_of(tmp_path / "a.csv")


def test_a_quoted_row_with_too_many_fields_is_named_by_its_line(tmp_path: Path):
    (tmp_path / "a.csv").write_text('user,item,rating\n1,"a,b",5\n1,2,4,5\n2,3,1\n')
    with pytest.raises(ReadError, match=r"line 3: 4 fields; expected 3"):
        rows_of(tmp_path / "a.csv")


def test_parquet_with_dates_and_other_types(tmp_path: Path):
    frame = pl.DataFrame(
        {
            "u": [1, 2],
            "i": ["a", "b"],
            "r": pl.Series([3, 4], dtype=pl.Int8),
            "t": ["1970-01-02", "1970-01-03"],
        }
    ).with_columns(pl.col("t").str.to_datetime())
    frame.write_parquet(tmp_path / "a.parquet")
    mapping = {"user": "u", "item": "i", "rating": "r", "timestamp": "t"}
    assert values(rows_of(tmp_path / "a.parquet", mapping)) == [(1, "a", 3.0, 86400), (2, "b", 4.0, 172800)]
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:200])
    with pytest.raises(ReadError, match=r"b\.parquet cannot be read"):
        rows_of(tmp_path / "b.parquet", mapping)
