"""Columns are found by usual names, by stated names or by numbers; two that fit are asked for."""

import pytest

from movielens_recsys.data.readers.columns import INTERACTION_TABLE, TableKind, map_columns
from movielens_recsys.errors import ReadError
from movielens_recsys.schema import Column


@pytest.mark.parametrize(
    "names",
    [
        ["userId", "movieId", "rating", "timestamp"],
        ["user_id:token", "item_id:token", "rating:float", "timestamp:float"],
        ["reviewerID", "asin", "overall", "unixReviewTime"],
        ["User ID", "Movie_ID", "Stars", "Date"],
    ],
)
def test_usual_names_are_recognised(names: list[str]):
    found = {"user": 0, "item": 1, "rating": 2, "timestamp": 3}
    assert map_columns(names, None, "a.csv") == found
    assert map_columns(["note", *names], None, "a.csv")["timestamp"] == 4


def test_columns_are_stated_by_name_or_number():
    names = ["who", "what", "how"]
    by_name = {"user": "who", "item": "what", "rating": "how"}
    assert map_columns(names, by_name, "a.csv") == {"user": 0, "item": 1, "rating": 2}
    assert map_columns(names, {"user": "3", "item": "2", "rating": "1"}, "a.csv")["user"] == 2
    assert map_columns(["3", "2", "1"], {"user": "3", "item": "2", "rating": "1"}, "a.csv")["user"] == 0


def test_without_names_the_usual_order_is_taken():
    assert map_columns(["1", "2", "3"], None, "a.csv", header=False) == {"user": 0, "item": 1, "rating": 2}
    with pytest.raises(ReadError, match=r"5 columns and no names.*--no-header --columns user=1"):
        map_columns(list("12345"), None, "a.csv", header=False)


@pytest.mark.parametrize(
    ("names", "stated", "words"),
    [
        (["who", "film", "stars"], None, r"no column user and item.*who, film, stars.*--columns"),
        (["a", "b", "c"], {"user": "x"}, r"no column 'x'; its columns are a, b, c"),
        (["a", "b", "c"], {"usr": "a"}, r"no column 'usr'.*did you mean 'user'"),
        (
            ["user", "userId", "item", "rating"],
            None,
            r"'user' \(1\) and 'userId' \(2\).*--columns user=1,item=3",
        ),
        (["a", "a", "c"], {"user": "a", "item": "c"}, r"2 columns called 'a'.*number, 1 or 2"),
        (["a", "b", "c"], {"user": "a", "item": "a", "rating": "c"}, r"one column is mapped twice"),
        (["a", "b", "c"], {"user": "4"}, r"no column '4'"),
    ],
)
def test_what_is_missing_or_stands_twice_is_named(
    names: list[str], stated: dict[str, str] | None, words: str
):
    with pytest.raises(ReadError, match=words):
        map_columns(names, stated, "a.csv")


def test_another_kind_of_table_has_other_columns() -> None:
    pairs = TableKind("a pair", (Column.USER, Column.ITEM, Column.TIMESTAMP), (Column.USER, Column.ITEM))
    names = ["movie_id", "rating", "uid", "time"]
    assert map_columns(names, None, "a.csv", kind=pairs) == {"user": 2, "item": 0, "timestamp": 3}
    assert map_columns(["1", "2"], None, "a.csv", header=False, kind=pairs) == {"user": 0, "item": 1}
    for names, stated, words in (
        (["uid", "rating"], None, "--columns user=NAME,item=NAME,timestamp=NAME"),
        (
            ["a", "b"],
            {"user": "a", "rating": "b"},
            "no column 'rating' to map; expected user, item, timestamp",
        ),
    ):
        with pytest.raises(ReadError, match=words):
            map_columns(names, stated, "a.csv", kind=pairs)


def test_interactions_need_no_rating_and_their_counts_are_recognized():
    assert map_columns(["user", "item", "at"], None, "a.csv", kind=INTERACTION_TABLE) == {
        "user": 0,
        "item": 1,
    }
    assert map_columns(["user", "item", "plays"], None, "a.csv", kind=INTERACTION_TABLE)["rating"] == 2
    assert map_columns(["1", "2"], None, "a.csv", header=False, kind=INTERACTION_TABLE) == {
        "user": 0,
        "item": 1,
    }
    with pytest.raises(
        ReadError, match="number them: --no-header --columns user=1,item=2,timestamp=3,rating=4"
    ):
        map_columns(["1", "2", "3"], None, "a.csv", header=False, kind=INTERACTION_TABLE)


def test_without_a_rating_the_way_to_import_interactions_is_said():
    with pytest.raises(ReadError, match=r"no column rating; .*, add --implicit"):
        map_columns(["user", "item", "plays"], None, "a.csv")
