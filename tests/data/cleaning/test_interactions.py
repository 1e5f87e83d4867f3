"""Interactions: any number above 0 says that something happened, and the first of a pair is kept."""

from __future__ import annotations

import polars as pl
from tests.data.cleaning.conftest import NOW, findings, frame

from movielens_recsys.data.cleaning.interactions import INTERACTION_SCALE, with_ratings
from movielens_recsys.data.cleaning.rows import clean_rows

PLAYS = frame([(1, 10, 3.0, 50), (1, 11, 0.0, 60), (2, 10, 17.0, 70), (1, 10, 1.0, 40), (2, 12, -1.0, 80)])


def test_rows_without_a_rating_are_rated_one():
    bare = PLAYS.drop("rating")
    rated = with_ratings(bare)
    assert rated.columns == ["row", "user", "item", "rating", "timestamp"]
    assert rated["rating"].to_list() == [1.0] * 5
    assert with_ratings(PLAYS) is PLAYS
    assert with_ratings(bare.drop("timestamp")).columns == ["row", "user", "item", "rating"]


def test_numbers_say_that_it_happened_and_repeats_are_merged_with_the_first():
    cleaned = clean_rows(PLAYS, None, implicit=True, now=NOW)
    assert cleaned.implicit
    assert cleaned.scale == INTERACTION_SCALE
    assert cleaned.frame.select("user", "item", "rating", "timestamp").rows() == [
        (2, 10, 1.0, 70),
        (1, 10, 1.0, 40),
    ]
    assert cleaned.rejected == {"no_interaction": 2, "repeated": 1}
    assert findings(cleaned) == {
        "interaction_counts_unused": 3,
        "rows_no_interaction": 2,
        "interactions_repeated": 1,
    }


def test_interactions_alone_are_no_finding():
    once = PLAYS.drop("rating", "timestamp").filter(pl.col("row") != 5)
    cleaned = clean_rows(once, None, implicit=True, now=NOW)
    assert cleaned.frame.height == 4
    assert cleaned.findings == ()


def test_a_number_that_means_not_rated_is_left_out_and_counted():
    cleaned = clean_rows(PLAYS, None, unrated=-1, now=NOW)
    assert cleaned.rejected == {"unrated": 1, "duplicate": 1}
    assert cleaned.scale.minimum == 0
