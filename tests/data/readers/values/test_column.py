"""Fields as they are written: gaps, enclosing quotation marks, and where a text stands."""

import polars as pl
from tests.data.readers.values.conftest import written

from movielens_recsys.data.readers.values.column import present_texts, without_quotes


def test_gaps_are_words_of_their_own():
    assert present_texts(pl.Series(["nan", "", "nana", r"\N", None])).to_list() == [
        None,
        None,
        "nana",
        None,
        None,
    ]


def test_quotation_marks_are_taken_off_where_they_enclose_every_field():
    assert without_quotes(pl.Series(['"a"', None, '"b"'])).to_list() == ["a", None, "b"]
    assert without_quotes(pl.Series(['"a"', "b"])).to_list() == ['"a"', "b"]
    assert without_quotes(pl.Series(['"', '"'])).to_list() == ['"', '"']


def test_a_text_is_found_by_its_first_line():
    assert written("a", "b", "b").where("b") == "a.csv line 3"
