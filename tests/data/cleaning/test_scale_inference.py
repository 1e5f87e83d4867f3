"""The scale is inferred from the ratings where they determine it."""

from __future__ import annotations

import pytest
from tests.data.cleaning.conftest import NOW, findings, frame

from movielens_recsys.data.cleaning.rows import clean_rows
from movielens_recsys.data.ratings import Scale
from movielens_recsys.errors import ReadError


@pytest.mark.parametrize(
    ("ratings", "scale"),
    [
        ([1, 2, 5], Scale(1, 5, 1)),
        ([0.5, 3, 5], Scale(0.5, 5, 0.5)),
        ([0.5, 1.5], Scale(0.5, 1.5, 0.5)),
        ([-10, 10], Scale(-10, 10, 1)),
        ([0.25, 0.75, 1.0], Scale(0.25, 1.0, 0.25)),
    ],
)
def test_the_scale_is_inferred(ratings, scale):
    cleaned = clean_rows(frame([(1, item, float(s), 1) for item, s in enumerate(ratings)]), None, now=NOW)
    assert cleaned.scale == scale
    assert findings(cleaned) == {"scale_inferred": len(scale.levels)}


@pytest.mark.parametrize(
    ("ratings", "words"),
    [
        ([3, 3], "every rating is 3"),
        ([1, 2, 9999], "3 different ratings from 1 to 9999"),
        ([1, 2.3, 4.7], "3 different ratings from 1 to 4.7"),
        ([number / 7 for number in range(150)], "150 different ratings"),
    ],
)
def test_no_scale_is_made_up(ratings, words):
    table = frame([(1, item, float(s), 1) for item, s in enumerate(ratings)])
    with pytest.raises(ReadError, match=words) as caught:
        clean_rows(table, None, source="mine.csv")
    assert str(caught.value).startswith("mine.csv: ")
    assert "state the scale" in caught.value.next_step
