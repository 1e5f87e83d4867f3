"""Compiled loops against dense algebra and finite differences."""

from __future__ import annotations

import numpy as np

from movielens_recsys.models.bayesian.numba_ops import draw_effect, draw_rows, level_log_likelihood


def test_a_row_is_drawn_from_its_exact_conditional() -> None:
    rng = np.random.default_rng(0)
    partners, n = rng.integers(0, 50, 600).astype(np.int32), 600
    partner_rows, prior, noise = (rng.normal(size=(k, 9)).astype(np.float32) for k in (50, 3, 3))
    targets = rng.normal(size=n).astype(np.float32)
    weights = rng.uniform(0.5, 1.5, n).astype(np.float32)
    starts, precision = np.array([0, 0, 20, n]), np.full(9, 2, np.float32)
    rows = np.zeros((3, 9), np.float32)
    entries = np.arange(n, dtype=np.int32)
    draw_rows(0, 3, starts, entries, partners, partner_rows, targets, weights, prior, precision, noise, rows)
    for r in range(3):
        own = slice(starts[r], starts[r + 1])
        design = partner_rows[partners[own]].astype(np.float64)
        target = targets[own] - design[:, 0]
        design[:, 0] = 1
        matrix = 2 * np.eye(9) + (design.T * weights[own]) @ design
        mean = np.linalg.solve(matrix, 2 * prior[r] + (design.T * weights[own]) @ target)
        expected = mean + np.linalg.solve(np.linalg.cholesky(matrix).T, noise[r])
        np.testing.assert_allclose(rows[r], expected, atol=1e-4)


def test_an_effect_is_drawn_from_its_exact_conditional_and_leaves_the_residuals() -> None:
    rng = np.random.default_rng(0)
    groups, weights = np.array([0, 1, 0, 0], np.int32), rng.uniform(0.5, 1.5, 4).astype(np.float32)
    residuals, values = rng.normal(size=4).astype(np.float32), np.array([0.3, -0.2, 0.1], np.float32)
    noise, sums = rng.normal(size=3).astype(np.float32), np.zeros(4, np.float32)
    without = residuals + values[groups]
    draw_effect(groups, weights, 2.0, noise, values, residuals, sums)
    precision = 2.0 + np.bincount(groups, weights, minlength=3)
    mean = np.bincount(groups, weights * without, minlength=3) / precision
    np.testing.assert_allclose(values, mean + noise / np.sqrt(precision), rtol=1e-5)
    np.testing.assert_allclose(residuals, without - values[groups], rtol=1e-5)


def test_derivatives_of_the_likelihood_equal_finite_differences() -> None:
    rng = np.random.default_rng(0)
    levels = np.array([0, 1, 2, 3, 1, 2], np.int8)
    scores, weights = rng.normal(size=6).astype(np.float32), rng.uniform(0.5, 2, 6).astype(np.float32)
    cutpoints, step = np.array([-0.8, 0.1, 0.9]), 1e-5

    def evaluate(values: np.ndarray) -> np.ndarray:
        return level_log_likelihood(0, 6, levels, scores, weights, np.r_[-np.inf, values, np.inf], True)

    found = evaluate(cutpoints)
    for k, unit in enumerate(np.eye(3)):
        above, below = evaluate(cutpoints + step * unit), evaluate(cutpoints - step * unit)
        np.testing.assert_allclose(found[1, k], (above[0, 0] - below[0, 0]) / (2 * step), rtol=1e-5)
        column = (above[1] - below[1]) / (2 * step)
        np.testing.assert_allclose(found[2, k], column[k], rtol=1e-5)
        if k:
            np.testing.assert_allclose(found[3, k - 1], column[k - 1], rtol=1e-5)
