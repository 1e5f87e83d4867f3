"""Numbers agree with their nouns and verbs."""

import pytest

from movielens_recsys.data.counted import counted


@pytest.mark.parametrize(("number", "words"), [(0, "0 rows are"), (1, "1 row is"), (2, "2 rows are")])
def test_one_is_singular(number: int, words: str):
    assert counted(number, "row is", "rows are") == words
