"""Ratings are numbers; commas are read where they mean one thing, and asked about elsewhere."""

import pytest
from tests.data.readers.values.conftest import written

from movielens_recsys.data.readers.values.ratings import read_ratings
from movielens_recsys.errors import ReadError


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["4", "4.5", ".5", "5.", "1e0", "+2", None], [4, 4.5, 0.5, 5, 1, 2, None]),
        (["4", "4,5", "0,5"], [4, 4.5, 0.5]),
        (["4,5", "1,000", "junk"], [4.5, 1, None]),
        (["4.5", "3,5"], [4.5, None]),
        (["4/5", "5 stars", "inf", "0x4"], [None] * 4),
        (["1.234,5", "3,5"], [1234.5, 3.5]),
    ],
)
def test_numbers_are_read_and_everything_else_is_not(texts: list[str], values: list[float | None]):
    assert read_ratings(written(*texts), None).values.to_list() == values


@pytest.mark.parametrize("texts", [["1,000", "12,000", "3"], ["1.234.567", "3"], ["1,234.5"]])
def test_signs_that_may_set_thousands_apart_are_asked_about(texts: list[str]):
    with pytest.raises(ReadError, match=rf"a.csv line 2: .*'{texts[0]}'.*--decimal , or --decimal \."):
        read_ratings(written(*texts), None)


def test_a_stated_sign_decides():
    assert read_ratings(written("1,000", "2.5", "3,5"), ".").values.to_list() == [1000, 2.5, None]
    assert read_ratings(written("1,000", "2.5", "1.000", "7"), ",").values.to_list() == [1, None, 1000, 7]
    assert read_ratings(written("1,5"), ",").form == "numbers with decimal commas"
