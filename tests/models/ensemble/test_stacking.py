"""Stackers against their algebra, and rows that must not be blended by a fit that saw them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from movielens_recsys.models.ensemble.config import BlendName
from movielens_recsys.models.ensemble.stacking import LinearStacker, fit_stacker, out_of_fold, restore_stacker

BLENDS: list[BlendName] = ["mean", "ridge", "gbm"]
Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def rows() -> Rows:
    """1,200 ratings; three members, the last is noise; meta-features, the first matters."""
    rng = np.random.default_rng(0)
    taste, features = rng.normal(3.5, 0.6, 1_200), rng.normal(size=(1_200, 8))
    members = [taste + rng.normal(0, 0.3, 1_200), 0.5 * taste + 2.2, rng.normal(3.5, 0.5, 1_200)]
    stars = taste + 0.8 * (features[:, 0] > 0) + rng.normal(0, 0.2, 1_200)
    return np.column_stack(members), features, stars


def rmse(predicted: np.ndarray, stars: np.ndarray) -> float:
    return float(np.sqrt(np.mean((predicted - stars) ** 2)))


def test_the_mean_is_not_fitted(rows: Rows) -> None:
    predictions, features, stars = rows
    blended = fit_stacker("mean", predictions, features, stars).predict(predictions, features)
    np.testing.assert_allclose(blended, predictions.mean(axis=1))


def test_ridge_is_scikit_learns_around_equal_weights(rows: Rows) -> None:
    predictions, features, stars = rows
    ours = LinearStacker.ridge(predictions, stars, penalty=50.0)
    rest = Ridge(alpha=50.0).fit(predictions, stars - predictions.mean(axis=1))
    theirs = predictions.mean(axis=1) + rest.predict(predictions)
    np.testing.assert_allclose(ours.predict(predictions, features), theirs, atol=1e-10)
    np.testing.assert_allclose(
        LinearStacker.ridge(predictions, stars, penalty=1e12).weights, 1 / 3, atol=1e-6
    )


def test_each_blend_uses_what_it_has(rows: Rows) -> None:
    predictions, features, stars = rows
    errors = {name: rmse(out_of_fold(name, predictions, features, stars), stars) for name in BLENDS}
    assert errors["ridge"] < errors["mean"] - 0.05
    assert errors["gbm"] < errors["ridge"] - 0.05
    assert abs(fit_stacker("ridge", predictions, features, stars).weights[2]) < 0.05


@pytest.mark.parametrize("name", ["ridge", "gbm"])
def test_no_row_is_blended_by_a_fit_that_saw_its_rating(name: BlendName, rows: Rows) -> None:
    predictions, features, stars = (part[:300] for part in rows)
    before = out_of_fold(name, predictions, features, stars)
    changed = stars.copy()
    changed[7] += 100.0
    after = out_of_fold(name, predictions, features, changed)
    assert after[7] == before[7]
    assert (after != before).sum() > 200


@pytest.mark.parametrize("name", BLENDS)
def test_a_blend_survives_as_arrays(name: BlendName, rows: Rows) -> None:
    predictions, features, stars = rows
    blend = fit_stacker(name, predictions, features, stars)
    state = blend.state()
    assert all(array.dtype != object for array in state.values())
    again = restore_stacker(name, {key: array.copy() for key, array in state.items()})
    np.testing.assert_array_equal(again.predict(predictions, features), blend.predict(predictions, features))


@pytest.mark.parametrize("name", BLENDS)
def test_two_rows_can_be_blended(name: BlendName) -> None:
    predictions, features, stars = np.array([[3.0, 4.0], [2.0, 5.0]]), np.zeros((2, 8)), np.array([3.0, 5.0])
    assert np.isfinite(out_of_fold(name, predictions, features, stars)).all()
