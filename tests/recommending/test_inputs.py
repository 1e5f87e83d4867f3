"""Histories and pairs are read by the rules of rating files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.readers.options import ReadOptions
from movielens_recsys.data.scale import Scale
from movielens_recsys.errors import ReadError
from movielens_recsys.recommender import UNKNOWN
from movielens_recsys.recommending.inputs import read_history, read_pairs


@pytest.fixture(scope="module")
def books() -> Ratings:
    """The ids of three readers and four books, of which one has leading zeros."""
    nothing = np.empty(0, np.int32)
    users = np.array(["ann", "bob", "7"], dtype=object)
    items = np.array(["007", "50", "Emma", "It, too"], dtype=object)
    return Ratings("books", nothing, nothing, np.empty(0, np.float32), None, users, items, Scale(1, 5, 1))


def write(folder: Path, text: str, name: str = "mine.csv") -> Path:
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("item,rating\n50,4\n007,2\nEmma,5\n", "mine.csv"),
        ("rating;book_id;item\n4;9;50\n2;9;007\n5;9;Emma\n", "mine.csv"),
        ("itemId\tstars\tdate\n50\t4\t2024-03-01\n007\t2\t2024-03-01\nEmma\t5\t2024-03-01\n", "mine.tsv"),
        ("user,item,rating\nme,50,4\nme,007,2\nme,Emma,5\n", "mine.csv"),
    ],
)
def test_a_history_is_items_and_ratings(tmp_path: Path, books: Ratings, text: str, name: str) -> None:
    history = read_history(write(tmp_path, text, name), books)
    assert history.items.tolist() == [1, 0, 2]
    assert history.ratings.tolist() == [4, 2, 5]


def test_items_alone_count_as_rated_highest(tmp_path: Path, books: Ratings) -> None:
    history = read_history(write(tmp_path, 'item\n50\n"It, too"\n'), books)
    assert (history.items.tolist(), history.ratings.tolist()) == ([1, 3], [5, 5])
    assert "every item counts as rated 5" in history.findings[0].advice


def test_interactions_need_no_ratings(tmp_path: Path, books: Ratings) -> None:
    plays = replace(books, scale=Scale(0, 1, 1), implicit=True)
    history = read_history(write(tmp_path, "item\n50\nEmma\n"), plays)
    assert (history.items.tolist(), history.ratings.tolist()) == ([1, 2], [1, 1])
    assert history.findings == ()


def test_equal_ratings_of_one_user_are_no_finding(tmp_path: Path, books: Ratings) -> None:
    assert read_history(write(tmp_path, "item,rating\n50,1\nEmma,1\n"), books).findings == ()


def test_unknown_items_are_left_out_and_counted(tmp_path: Path, books: Ratings) -> None:
    history = read_history(write(tmp_path, "item,rating\n50,4\n7,3\nemma,1\n"), books)
    assert history.items.tolist() == [1]
    (finding,) = (finding for finding in history.findings if finding.name == "items_unknown")
    assert finding.advice == "2 of 3 items are not in the data set, and are left out: 7, emma" + (
        "; written differently? the ratings have '007'"
    )
    assert len(read_history(write(tmp_path, "item,rating\n8,4\n"), books).items) == 0


def test_the_latest_rating_of_an_item_counts(tmp_path: Path, books: Ratings) -> None:
    rows = "item,rating,timestamp\n50,1,900000000\n50,5,900000002\n50,3,900000001\n"
    history = read_history(write(tmp_path, rows), books)
    assert (history.items.tolist(), history.ratings.tolist()) == ([1], [5])
    assert any("same item" in finding.advice for finding in history.findings)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("item,rating\n50,7\n", "line 2: the rating is outside the scale"),
        ("item,rating\n50,good\n", "line 2: the rating is not a number, found 'good'"),
        ("item,rating\n,4\n", "line 2: the item id is missing"),
        ("book,rating\n50,4\n", "--columns item=NAME,rating=NAME,timestamp=NAME"),
        ("", "holds no rows"),
    ],
)
def test_what_is_no_history_is_refused(tmp_path: Path, books: Ratings, text: str, words: str) -> None:
    with pytest.raises(ReadError, match=words):
        read_history(write(tmp_path, text), books)


def test_bad_rows_are_left_out_if_asked_for(tmp_path: Path, books: Ratings) -> None:
    path = write(tmp_path, "item,rating\n50,4\n007,7\n")
    history = read_history(path, books, bad_rows="reject")
    assert history.items.tolist() == [1]
    assert any("outside the scale" in finding.advice for finding in history.findings)


@pytest.mark.parametrize("columns", [None, {"item": "item", "rating": "rating"}])
def test_a_history_is_of_one_user(tmp_path: Path, books: Ratings, columns: dict[str, str] | None) -> None:
    path = write(tmp_path, "item,rating,userId\n50,4,ann\n007,2,bob\nEmma,5,ann\n")
    words = r"the rows of 2 users in the column 'userId': ann \(2 rows\), bob \(1 rows\); expected the rows"
    with pytest.raises(ReadError, match=words):
        read_history(path, books, ReadOptions(columns))


@pytest.mark.parametrize(
    ("header", "columns"),
    [("user,item,timestamp", "user=NAME,item=NAME"), ("item,rating,timestamp", "item=NAME,rating=NAME")],
)
def test_the_advice_for_a_time_names_the_columns_that_are_there(
    tmp_path: Path, books: Ratings, header: str, columns: str
) -> None:
    path = write(tmp_path, f"{header}\n5,5,soon\n4,4,2024-03-01\n")
    with pytest.raises(ReadError, match=f"leave the time out with --columns {columns}, or"):
        (read_pairs if "user" in header else read_history)(path, books)


def test_pairs_keep_what_the_file_says(tmp_path: Path, books: Ratings) -> None:
    text = "user,item,timestamp\nann,50,900000000\nzoe,007,\n7,7,900000001\nann,50,900000002\n"
    pairs = read_pairs(write(tmp_path, text), books)
    assert pairs.frame.columns == ["user", "item", "timestamp"]
    assert pairs.frame["user"].to_list() == ["ann", "zoe", "7", "ann"]
    assert pairs.frame["timestamp"].to_list() == [900000000, None, 900000001, 900000002]
    assert pairs.users.tolist() == [0, UNKNOWN, 2, 0]
    assert pairs.items.tolist() == [1, 0, UNKNOWN, 1]
    with pytest.raises(ReadError, match=r"line 3: the user id is missing.*--on-bad-rows reject"):
        read_pairs(write(tmp_path, "user,item\nann,50\n,50\n"), books)
    kept = read_pairs(write(tmp_path, "user,item\nann,50\n,50\n"), books, bad_rows="reject")
    assert (kept.frame.height, len(kept.findings)) == (1, 1)


def test_parquet_is_read_alike(tmp_path: Path, books: Ratings) -> None:
    pl.DataFrame({"item": ["50", "007"], "rating": [4, 2]}).write_parquet(tmp_path / "mine.parquet")
    history = read_history(tmp_path / "mine.parquet", books)
    assert (history.items.tolist(), history.ratings.tolist()) == ([1, 0], [4, 2])
