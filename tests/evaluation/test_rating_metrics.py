"""Rating metrics against hand-worked cases, scikit-learn and their bounds."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from movielens_recsys.data.scale import Scale
from movielens_recsys.evaluation import rating_metrics

USERS, ACTUAL, PREDICTED = [0, 0, 1, 2], [4, 2, 5, 1], [3, 2, 3, 2]


def total(users=USERS, actual=ACTUAL, predicted=PREDICTED):
    return rating_metrics.rating_aggregates(users, actual, predicted).total()


def test_worked_by_hand():
    aggregates = total()  # errors -1, 0, -2, +1
    assert rating_metrics.rmse(aggregates) == pytest.approx(np.sqrt(6 / 4))
    assert rating_metrics.mae(aggregates) == pytest.approx(1.0)
    assert rating_metrics.user_rmse(aggregates) == pytest.approx((np.sqrt(1 / 2) + 2 + 1) / 3)
    assert rating_metrics.r2(aggregates) == pytest.approx(1 - 6 / 10)  # actual deviates by 1, -1, 2, -2
    assert rating_metrics.calibration_error(aggregates) == pytest.approx((abs(-1 - 2) + abs(0 + 1)) / 4)


def test_the_row_of_one_user_gives_that_users_value():
    aggregates = rating_metrics.rating_aggregates(USERS, ACTUAL, PREDICTED)
    assert rating_metrics.rmse(aggregates) == pytest.approx([np.sqrt(0.5), 2, 1])


def test_against_scikit_learn():
    rng = np.random.default_rng(0)
    actual, predicted = rng.integers(1, 6, 500), rng.uniform(1, 5, 500)
    aggregates = total(rng.integers(0, 40, 500), actual, predicted)
    assert rating_metrics.rmse(aggregates) == pytest.approx(
        sk.root_mean_squared_error(actual, predicted), abs=1e-12
    )
    assert rating_metrics.root_mean_squared_error(predicted, actual) == pytest.approx(
        sk.root_mean_squared_error(actual, predicted), abs=1e-12
    )
    assert rating_metrics.mae(aggregates) == pytest.approx(
        sk.mean_absolute_error(actual, predicted), abs=1e-12
    )
    assert rating_metrics.r2(aggregates) == pytest.approx(sk.r2_score(actual, predicted), abs=1e-9)


@pytest.mark.parametrize(("predicted", "expected"), [([3, 3, 3], 1.0), ([3, 3, 4], 0.0)])
def test_r2_of_equal_ratings_follows_scikit_learn(predicted, expected):
    assert rating_metrics.r2(total([0, 0, 1], [3, 3, 3], predicted)) == expected
    assert sk.r2_score([3, 3, 3], predicted) == expected


def test_users_without_ratings_do_not_count():
    aggregates = rating_metrics.rating_aggregates([0, 2], [4, 4], [3, 1], n_users=4).total()
    assert rating_metrics.user_rmse(aggregates) == pytest.approx((1 + 3) / 2)


def test_calibration_bins_hold_every_prediction_once():
    rng = np.random.default_rng(3)
    actual, predicted = rng.integers(1, 6, 1000), rng.uniform(0, 6, 1000)
    bins = rating_metrics.calibration(actual, predicted)
    assert sum(row.count for row in bins) == 1000
    assert all(low.high <= high.low for low, high in itertools.pairwise(bins))
    by_hand = sum(row.count * abs(row.predicted - row.actual) for row in bins) / 1000
    assert rating_metrics.calibration_error(total(np.zeros(1000, int), actual, predicted)) == pytest.approx(
        by_hand
    )


def test_predictions_on_an_edge_belong_to_the_bin_above():
    scale = Scale(0.5, 5.0, 0.5)
    (row,) = rating_metrics.calibration([2.0], [0.95], scale)
    assert (row.low, row.high) == (0.95, 1.175)
    (last,) = rating_metrics.calibration([5.0], [5.0], scale)
    assert last.high == 5.0


def test_ratings_are_counted_on_half_star_scales():
    counts = rating_metrics.rating_counts([0.5, 4.5, 5.0], [0.2, 4.6, 9.0], Scale(0.5, 5.0, 0.5))
    assert [(row.stars, row.actual, row.predicted) for row in counts if row.actual] == [
        (0.5, 1, 1),
        (4.5, 1, 1),
        (5.0, 1, 1),
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(1, 5), st.floats(1, 5, width=32)), min_size=1, max_size=60
    )
)
def test_bounds(rows):
    users, actual, predicted = (list(column) for column in zip(*rows, strict=True))
    aggregates = total(users, actual, predicted)
    assert 0 <= rating_metrics.mae(aggregates) <= rating_metrics.rmse(aggregates) + 1e-12 <= 4 + 1e-9
    assert 0 <= rating_metrics.user_rmse(aggregates) <= 4 + 1e-9
    assert rating_metrics.r2(aggregates) <= 1
    assert rating_metrics.calibration_error(aggregates) <= rating_metrics.mae(aggregates) + 1e-12
    assert rating_metrics.rmse(total(users, actual, actual)) == 0
