"""Standardised scores of different models can be added."""

from __future__ import annotations

import numpy as np

from movielens_recsys.models.scores import cosine_similarities, standardize


def test_rows_have_mean_0_and_deviation_1_whatever_their_scale() -> None:
    scores = np.random.default_rng(0).normal(7, 30, size=(4, 200))
    standardized = standardize(scores)
    np.testing.assert_allclose(standardized.mean(1), 0, atol=1e-12)
    np.testing.assert_allclose(standardized.std(1), 1)
    np.testing.assert_allclose(standardize(0.01 * scores - 5), standardized)


def test_a_constant_row_becomes_zero_and_the_dtype_stays() -> None:
    standardized = standardize(np.full((2, 3), 0.1, np.float32))
    assert standardized.dtype == np.float32
    np.testing.assert_array_equal(standardized, 0)


def test_cosines_do_not_depend_on_lengths_and_are_0_with_nothing() -> None:
    rows = np.array([[3, 4], [0.3, 0.4], [-3, -4], [4, -3], [0, 0]], np.float32)
    np.testing.assert_allclose(cosine_similarities(rows, 0), [1, 1, -1, 0, 0], atol=1e-6)
    np.testing.assert_array_equal(cosine_similarities(rows, 4), 0)
