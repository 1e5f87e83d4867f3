"""Blends against the algebra they promise, and rows that must not see themselves."""

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
    """1,200 ratings, three members of which the last is noise, and traits of which the first matters."""
    rng = np.random.default_rng(0)
    taste, traits = rng.normal(3.5, 0.6, 1_200), rng.normal(size=(1_200, 8))
    members = [taste + rng.normal(0, 0.3, 1_200), 0.5 * taste + 2.2, rng.normal(3.5, 0.5, 1_200)]
    stars = taste + 0.8 * (traits[:, 0] > 0) + rng.normal(0, 0.2, 1_200)
    return np.column_stack(members), traits, stars


def rmse(predicted: np.ndarray, stars: np.ndarray) -> float:
    return float(np.sqrt(np.mean((predicted - stars) ** 2)))


def test_the_mean_learns_nothing(rows: Rows) -> None:
    predictions, traits, stars = rows
    blended = fit_stacker("mean", predictions, traits, stars).predict(predictions, traits)
    np.testing.assert_allclose(blended, predictions.mean(axis=1))


def test_ridge_is_scikit_learns_around_equal_weights(rows: Rows) -> None:
    predictions, traits, stars = rows
    ours = LinearStacker.ridge(predictions, stars, penalty=50.0)
    rest = Ridge(alpha=50.0).fit(predictions, stars - predictions.mean(axis=1))
    theirs = predictions.mean(axis=1) + rest.predict(predictions)
    np.testing.assert_allclose(ours.predict(predictions, traits), theirs, atol=1e-10)
    np.testing.assert_allclose(
        LinearStacker.ridge(predictions, stars, penalty=1e12).weights, 1 / 3, atol=1e-6
    )


def test_each_blend_finds_what_it_can_see(rows: Rows) -> None:
    predictions, traits, stars = rows
    errors = {name: rmse(out_of_fold(name, predictions, traits, stars), stars) for name in BLENDS}
    assert errors["ridge"] < errors["mean"] - 0.05
    assert errors["gbm"] < errors["ridge"] - 0.05
    assert abs(fit_stacker("ridge", predictions, traits, stars).weights[2]) < 0.05


@pytest.mark.parametrize("name", ["ridge", "gbm"])
def test_no_row_is_blended_by_what_saw_its_rating(name: BlendName, rows: Rows) -> None:
    predictions, traits, stars = (part[:300] for part in rows)
    before = out_of_fold(name, predictions, traits, stars)
    changed = stars.copy()
    changed[7] += 100.0
    after = out_of_fold(name, predictions, traits, changed)
    assert after[7] == before[7]
    assert (after != before).sum() > 200


@pytest.mark.parametrize("name", BLENDS)
def test_a_blend_survives_as_arrays(name: BlendName, rows: Rows) -> None:
    predictions, traits, stars = rows
    blend = fit_stacker(name, predictions, traits, stars)
    state = blend.state()
    assert all(array.dtype != object for array in state.values())
    again = restore_stacker(name, {key: array.copy() for key, array in state.items()})
    np.testing.assert_array_equal(again.predict(predictions, traits), blend.predict(predictions, traits))


@pytest.mark.parametrize("name", BLENDS)
def test_two_rows_can_be_blended(name: BlendName) -> None:
    predictions, traits, stars = np.array([[3.0, 4.0], [2.0, 5.0]]), np.zeros((2, 8)), np.array([3.0, 5.0])
    assert np.isfinite(out_of_fold(name, predictions, traits, stars)).all()
