"""A user's table of items: titles, genres and years, by ids as they are written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from movielens_recsys.data.readers.item_table import align_items, read_item_table
from movielens_recsys.errors import ReadError


def write(folder: Path, text: str, name: str = "items.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('id,name,genre\n007,"Emma, or not",Novel|Classic\n12,Heat,\n', "items.csv"),
        ("movieId;title;genres\n007;Emma, or not;Novel,Classic\n12;Heat;\n", "items.csv"),
        ("item_id\ttitle\tcategory\n007\tEmma, or not\t['Novel', 'Classic']\n12\tHeat\t[]\n", "items.tsv"),
        ("genres::title::item\nNovel|Classic::Emma, or not::007\n::Heat::12\n", "items.dat"),
        ('"id","name","genre"\n"007","Emma, or not","Novel|Classic"\n"12","Heat",""\n', "items.csv"),
    ],
)
def test_usual_names_separators_and_lists_of_genres(tmp_path: Path, text: str, name: str) -> None:
    table = read_item_table(write(tmp_path, text, name))
    assert table.frame["item"].to_list() == ["007", "12"]
    assert table.frame["title"].to_list() == ["Emma, or not", "Heat"]
    assert table.frame["genres"].to_list() == [["Novel", "Classic"], []]
    assert table.account.ignored == ()


def test_columns_are_mapped_and_others_ignored(tmp_path: Path) -> None:
    path = write(tmp_path, "isbn,pages,what,when\n1,400,Emma,1815\n2,10,,circa 1900\n3,5,X,\n")
    table = read_item_table(path, {"item": "isbn", "title": "what", "year": "when"})
    assert table.frame["title"].to_list() == ["Emma", None, "X"]
    assert table.frame["year"].to_list() == [1815, None, None]
    assert table.account.ignored == ("pages",)
    (finding,) = table.findings
    assert (finding.name, finding.value) == ("item_years_unreadable", 1)
    assert finding.advice.endswith("the first on line 3: found 'circa 1900'")
    assert finding in align_items(table, np.array([1, 2, 3]))[1]
    path = write(tmp_path, "id,isbn,title,year\n1,a,Emma,1815\n")
    partly = read_item_table(path, {"item": "isbn"}).frame
    assert partly.columns == ["item", "title", "year"]
    assert partly.row(0) == ("a", "Emma", 1815)


def test_lines_and_columns_are_accounted_for(tmp_path: Path) -> None:
    account = read_item_table(write(tmp_path, 'id,name,genre,pages\n1,"A\nB",,5\n\n2,,Drama,6\n')).account
    assert (account.lines, account.header_lines, account.blank_lines, account.row_lines) == (5, 1, 1, 3)
    columns = {column.column: (column.name, column.missing) for column in account.columns}
    assert columns == {"item": ("id", 0), "title": ("name", 1), "genres": ("genre", 1)}
    assert account.ignored == ("pages",)


def test_years_end_titles_where_there_is_no_column(tmp_path: Path) -> None:
    table = read_item_table(write(tmp_path, "item,title\n1,Heat (1995)\n2,Emma\n"))
    assert table.frame["year"].to_list() == [1995, None]
    assert "year" not in read_item_table(write(tmp_path, "item,title\n1,Heat\n")).frame.columns


def test_parquet_has_genres_as_lists(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"item": [7, 12], "title": ["Emma", "Heat"], "genres": [["Novel"], []], "year": [1815, None]}
    )
    frame.write_parquet(tmp_path / "items.parquet")
    read = read_item_table(tmp_path / "items.parquet").frame
    assert read["item"].to_list() == ["7", "12"]
    assert read["genres"].to_list() == [["Novel"], []]
    assert read["year"].to_list() == [1815, None]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("item,title\n1,Emma\n2,Heat\n1,Emma\n", "item '1' is there twice, on lines 2 and 4"),
        ("item,title\n1,Emma\n,Heat\n", "line 3: the item id is missing"),
        ("item,title\n1,Emma\n2,Heat, too\n", "line 3: 3 fields; expected 2"),
        ("book,title\n1,Emma\n", "no column of items; its columns are book, title.*--item-columns item=NAME"),
        ("item,pages\n1,400\n", "no column of titles"),
        ("item,title\n", "holds no rows"),
        ("", "holds no rows"),
    ],
)
def test_what_is_no_table_of_items_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ReadError, match=words):
        read_item_table(write(tmp_path, text))


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"item": "isbn"}, "no column 'isbn'"),
        ({"item": "item", "titel": "title"}, "did you mean 'title'"),
    ],
)
def test_a_mapping_must_fit(tmp_path: Path, columns: dict[str, str], words: str) -> None:
    with pytest.raises(ReadError, match=words):
        read_item_table(write(tmp_path, "item,title\n1,Emma\n"), columns)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'item,title\n1,"Emma\n2,Heat\n', r"line 2: a quotation mark .*, found '1,\"Emma'"),
        ("item,title\n1,Heat\n2,Amélie\n".encode("latin-1"), r"line 3 is not UTF-8.*iconv"),
        (b"item,title,title\n1,Emma,Heat\n", r"two columns called 'title'"),
    ],
)
def test_a_title_is_never_guessed(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "items.csv").write_bytes(content)
    with pytest.raises(ReadError, match=words):
        read_item_table(tmp_path / "items.csv")


@pytest.mark.parametrize(("ids", "known"), [("1.0 12.0", ["1", "12"]), ("1.0 012", ["1.0", "012"])])
def test_ids_are_typed_as_those_of_ratings(tmp_path: Path, ids: str, known: list[str]) -> None:
    rows = "".join(f"{item},A\n" for item in ids.split())
    assert read_item_table(write(tmp_path, f"item,title\n{rows}")).frame["item"].to_list() == known


def test_rows_follow_the_ids_and_what_does_not_match_is_said(tmp_path: Path) -> None:
    table = read_item_table(write(tmp_path, "item,title,pages\n12,Heat,1\n007,Emma,2\n99,Unread,3\n"))
    frame, findings = align_items(table, np.array(["007", "12", "7"], dtype=object))
    assert frame["item_id"].to_list() == ["007", "12", "7"]
    assert frame["title"].to_list() == ["Emma", "Heat", None]
    said = {finding.name: finding.advice for finding in findings}
    assert said["items_without_title"] == "1 of 3 rated items are not in the table of items: 7"
    assert "1 items of the table of items have no rating" in said["items_without_ratings"]
    assert said["item_columns_ignored"].endswith("pages")
    numbers, _ = align_items(table, np.array([12, 13]))
    assert (numbers["item_id"].dtype, numbers["title"].to_list()) == (pl.Int64, ["Heat", None])
    with pytest.raises(ReadError, match=r"none of the 1 rated items .* '8'.*--item-columns"):
        align_items(table, np.array([8]))


def test_a_table_whose_fields_are_all_enclosed_is_read(tmp_path: Path):
    (tmp_path / "items.csv").write_text('"item","title"\n"10","Heat, 1995"\n"20","Kolya"\n')
    assert read_item_table(tmp_path / "items.csv").frame["title"].to_list() == ["Heat, 1995", "Kolya"]
