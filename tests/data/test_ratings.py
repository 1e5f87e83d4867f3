"""`Ratings`: one hash for one content, and parts from which nothing else can be read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.schema import Finding, Severity


@pytest.fixture
def ratings() -> Ratings:
    return Ratings(
        name="four",
        users=np.array([0, 1, 1, 2], dtype=np.int32),
        items=np.array([1, 0, 1, 1], dtype=np.int32),
        ratings=np.array([3, 4, 5, 1], dtype=np.float32),
        timestamps=np.array([10, 20, 30, 40]),
        user_ids=np.array([5, 7, 9]),
        item_ids=np.array([100, 200, 300]),
        scale=Scale(1, 5, 1),
        item_table=pl.DataFrame({"item_id": [100, 200, 300], "title": ["A", None, "C"]}),
        rows_read=6,
        rows_rejected=2,
        findings=(Finding("rows_duplicate", 2.0, 0.0, Severity.WARNING, "look"),),
    )


def test_ratings_are_divided_by_the_width_of_a_star(ratings):
    assert ratings.in_stars() is ratings
    percent = replace(ratings, ratings=ratings.ratings * 20, scale=Scale(0, 100, 20))
    in_stars = percent.in_stars()
    assert in_stars.ratings.tolist() == pytest.approx([2.4, 3.2, 4.0, 0.8])
    assert in_stars.scale == Scale(0, 4, 0.8)


def test_counts_are_those_of_the_id_maps(ratings):
    assert (len(ratings), ratings.n_users, ratings.n_items) == (4, 3, 3)


def test_the_hash_is_pinned(ratings):
    assert ratings.content_hash == "eadfec08127966434f1a602e2cd4373c16c528826d2dc651ff74c97bb486deae"


def test_interactions_have_another_hash_than_ratings_of_one(ratings):
    ones = replace(ratings, ratings=np.ones(4, np.float32), scale=Scale(0, 1, 1))
    interactions = replace(ones, implicit=True)
    assert interactions.content_hash != ones.content_hash
    assert interactions.take(np.array([0])).implicit


def test_the_hash_does_not_depend_on_how_the_rows_came(ratings):
    wider = replace(
        ratings,
        name="same rows",
        users=ratings.users + 1,
        user_ids=np.array([1, 5, 7, 9], dtype=np.int32),
        item_table=None,
        rows_read=4,
        findings=(),
    )
    assert wider.content_hash == ratings.content_hash


@pytest.mark.parametrize(
    "change",
    [
        {"ratings": np.array([3, 4, 5, 2], dtype=np.float32)},
        {"timestamps": np.array([10, 20, 30, 41])},
        {"timestamps": None},
        {"users": np.array([0, 1, 1, 0], dtype=np.int32)},
        {"items": np.array([1, 0, 1, 2], dtype=np.int32)},
        {"user_ids": np.array([5, 7, 10])},
        {"user_ids": np.array(["5", "7", "9"], dtype=object)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_hash_depends_on_every_row(ratings, change):
    assert replace(ratings, **change).content_hash != ratings.content_hash


def test_the_order_of_rows_counts(ratings):
    assert ratings.take(np.array([0, 1, 3, 2])).content_hash != ratings.content_hash


def test_text_ids_have_a_hash_too(ratings):
    text = replace(ratings, user_ids=np.array(["a", "b", "é"], dtype=object))
    other = replace(ratings, user_ids=np.array(["a", "b", "e"], dtype=object))
    assert len({text.content_hash, other.content_hash, ratings.content_hash}) == 3


def test_other_rows_cannot_be_read(ratings):
    part = ratings.take(np.array([1, 3]))
    assert part.users.tolist() == [1, 2]
    assert part.items.tolist() == [0, 1]
    assert part.ratings.tolist() == [4, 1]
    assert part.timestamps.tolist() == [20, 40]
    assert (part.n_users, part.n_items, part.rows_read, part.rows_rejected, part.findings) == (3, 3, 2, 0, ())
    part.ratings[:] = 0
    assert ratings.ratings.tolist() == [3, 4, 5, 1]


def test_taking_does_not_need_times(ratings):
    assert replace(ratings, timestamps=None).take(np.array([0])).timestamps is None


def test_titles_fall_back_to_ids(ratings):
    assert ratings.titles(np.array([2, 1])) == ["C", "200"]
    assert replace(ratings, item_table=None).titles(np.array([0])) == ["100"]
