"""The data that a model is for refuses and clips as documented; prefixes of arrays come off again."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.errors import ModelError
from movielens_recsys.models.base import DataSpec, prefixed, require_ratings, strip_prefix
from movielens_recsys.recommender import UNKNOWN

DATA = DataSpec(n_users=3, n_items=2, scale=Scale(1, 5, 0.5))


def test_the_data_are_the_id_maps_and_not_the_rows() -> None:
    ratings = Ratings(
        name="tiny",
        users=np.array([0, 2], np.int32),
        items=np.array([1, 1], np.int32),
        ratings=np.array([1, 5], np.float32),
        timestamps=None,
        user_ids=np.arange(3),
        item_ids=np.arange(2),
        scale=Scale(1, 5, 0.5),
    )
    nothing = ratings.take(np.array([], np.int64))
    assert DataSpec.of(ratings) == DataSpec.of(nothing) == DATA
    require_ratings(ratings)
    with pytest.raises(ModelError, match="no training ratings"):
        require_ratings(nothing)


def test_predictions_are_clipped_to_the_scale_as_32_bit_floats() -> None:
    clipped = DATA.clip(np.array([-3.0, 2.25, 5.01]))
    assert clipped.dtype == np.float32
    assert clipped.tolist() == [1.0, 2.25, 5.0]


def test_an_index_runs_from_unknown_to_the_last() -> None:
    DATA.check(np.array([UNKNOWN, 0, 2]), np.array([UNKNOWN, 1]))
    DATA.check(np.array([], np.int64))
    DATA.check(items=np.array([1]))
    with pytest.raises(ModelError, match="user index 3; expected an index from 0 to 2"):
        DATA.check(np.array([0, 3]))
    with pytest.raises(ModelError, match="item index -2; expected an index from 0 to 1"):
        DATA.check(items=np.array([-2]))


@pytest.mark.parametrize(
    ("items", "ratings", "message"),
    [
        ([0, 1], [5.0], "2 items and 1 ratings"),
        ([0, 2], [5.0, 5.0], "item index 2"),
        ([0, 1], [5.0, 5.5], "a rating of 5.5 in a history; expected ratings from 1 to 5"),
        ([0], [np.nan], "a rating of nan"),
        ([0], [3.75], "a rating of 3.75 in a history; expected ratings from 1 to 5 in steps of 0.5"),
    ],
)
def test_a_history_has_a_rating_on_the_scale_for_each_item(
    items: list[int], ratings: list[float], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        DATA.check_history(np.array(items), np.array(ratings))


def test_any_rating_of_the_scale_may_be_folded_in() -> None:
    DATA.check_history(np.array([1, UNKNOWN]), np.array([4.5, 1.0]))
    DataSpec(3, 2, Scale(1, 5)).check_history(np.array([1, UNKNOWN]), np.array([4.7, 1.0]))
    DATA.check_history(np.array([], np.int64), np.array([]))


def test_a_prefix_comes_off_again_and_names_without_it_are_left_out() -> None:
    state = {"weights": np.arange(3), "first.weights": np.zeros(2)}
    both = {**prefixed("first.", state), "firstborn": np.ones(1)}
    assert list(both) == ["first.weights", "first.first.weights", "firstborn"]
    assert strip_prefix("first.", both) == state
