"""Sums over users add up, are weighted, and keep their names."""

import numpy as np
import pytest

from movielens_recsys.evaluation.aggregates import Aggregates, divide


@pytest.fixture
def per_user():
    return Aggregates.of({"count": np.array([2, 1, 3]), "squared": np.array([1.0, 4.0, 3.0])})


def test_a_total_adds_users_up(per_user):
    total = per_user.total()
    assert (total["count"], total["squared"]) == (6, 8)


def test_weights_count_a_user_more_than_once_or_not_at_all(per_user):
    resamples = per_user.weighted(np.array([[1.0, 1.0, 1.0], [2.0, 0.0, 1.0]]))
    assert resamples["count"].tolist() == [6, 7]
    assert resamples["squared"].tolist() == [8, 5]


def test_columns_of_both_stand_side_by_side(per_user):
    more = Aggregates.of({"absolute": np.array([1.0, 2.0, 3.0])})
    both = per_user.beside(more)
    assert both.names == ("count", "squared", "absolute")
    assert both["absolute"].tolist() == [1, 2, 3]
    assert "absolute" in both
    assert "absolute" not in per_user


def test_a_quotient_of_nothing_is_nan():
    assert divide(np.array([1.0, 0.0]), np.array([2.0, 0.0])) == pytest.approx([0.5, np.nan], nan_ok=True)
