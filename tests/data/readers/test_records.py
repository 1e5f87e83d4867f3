"""A record is a line, or several; quotation marks are what they are, and every line is accounted for."""

from pathlib import Path

import pytest
from tests.data.readers.conftest import faults_of, rows_of, write

from movielens_recsys.data.readers import read_ratings

SONGS = [f"{number},{100 + number},Song {number},{1 + number % 5}" for number in range(1, 11)]


def songs(titles: dict[int, str], separator: str = ",") -> str:
    lines = [line.replace(f"Song {n}", titles.get(n, f"Song {n}")) for n, line in enumerate(SONGS, 1)]
    return "\n".join(["user,item,title,rating", *lines, ""]).replace(",", separator)


@pytest.mark.parametrize("separator", ["\t", "|"])
@pytest.mark.parametrize("titles", [{3: '"Heroes', 7: 'Low"'}, {3: '"'}, {3: '"Heroes"'}, {10: '"Low'}])
def test_quotes_between_tabs_or_bars_are_plain(tmp_path: Path, separator: str, titles: dict[int, str]):
    write(tmp_path, songs__tsv=songs(titles, separator))
    frame = rows_of(tmp_path / "songs.tsv")
    assert frame["row"].to_list() == list(range(2, 12))
    assert frame["rating"].to_list() == [1.0 + number % 5 for number in range(1, 11)]


@pytest.mark.parametrize("title", ['"Heroes', '12" mix', '"one, ""two"""', '"He" roes', '"" ""'])
def test_a_row_on_one_line_keeps_it(tmp_path: Path, title: str):
    write(tmp_path, songs__csv=songs({3: title}))
    frame = rows_of(tmp_path / "songs.csv")
    assert frame.height == 10
    assert frame.drop("row").row(8) == (9, 109, 5.0)


def test_a_field_over_lines_is_one_row_and_is_said_with_its_lines(tmp_path: Path):
    write(
        tmp_path, a__csv='user,item,rating,review\n1,10,4,"fine\n\nreally, fine"\n1,11,5,ok\n2,10,oops,bad\n'
    )
    read = read_ratings(tmp_path / "a.csv")
    assert read.frame["row"].to_list() == [2, 5, 6]
    assert read.faults.rows() == [(6, "rating_unreadable", "oops")]
    account = read.account
    assert (account.lines, account.header_lines, account.blank_lines, account.row_lines) == (6, 1, 0, 5)
    (finding,) = read.findings
    assert (finding.name, finding.value) == ("rows_over_lines", 1.0)
    assert "from line 2: 2 lines are no rows of their own" in finding.advice


def test_a_quote_that_swallows_whole_rows_is_a_fault_of_each(tmp_path: Path):
    write(tmp_path, songs__csv=songs({3: '"Heroes', 7: 'Low"'}))
    faults = faults_of(tmp_path / "songs.csv")
    assert [(row, reason) for row, reason, _ in faults] == [
        (row, "row_quote_over_rows") for row in range(4, 9)
    ]
    assert faults[0][2] == '3,103,"Heroes,4'


def test_a_quote_that_is_never_closed_is_a_fault_of_its_line(tmp_path: Path):
    write(tmp_path, songs__csv=songs({3: '"Heroes', 5: '"Low'}))
    assert [fault[:2] for fault in faults_of(tmp_path / "songs.csv")] == [
        (4, "row_unclosed_quote"),
        (6, "row_unclosed_quote"),
    ]
    assert rows_of(tmp_path / "songs.csv").height == 10


@pytest.mark.parametrize("last", ['"7","8","9,5"', '"7","8"', '7,8,"9"', '"7","8","say ""9"""'])
def test_lines_whose_fields_are_all_enclosed_are_split_between_the_marks(tmp_path: Path, last: str):
    write(tmp_path, a__csv=f'"user","item","rating"\n"1","2, 3","4"\n\n{last}\n')
    frame = rows_of(tmp_path / "a.csv")
    assert frame.row(0) == (2, 1, "2, 3", 4.0)
    assert frame["row"].to_list() == [2, 4]
    assert len(faults_of(tmp_path / "a.csv")) == (0 if last in {'"7","8","9,5"', '7,8,"9"'} else 1)
