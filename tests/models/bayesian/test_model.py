"""The Bayesian model's draws against dense algebra and scipy, and its figures on any number of threads."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.special import ndtri

from movielens_recsys.data.ratings import Ratings, Scale
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.models.bayesian import gp_kernels
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.bayesian.gp_kernels import Kernel, implicit_features
from movielens_recsys.models.bayesian.model import BayesianMF
from movielens_recsys.models.bayesian.normal import normal_quantile, truncated_normal_quantile
from movielens_recsys.models.bayesian.numba_ops import draw_rows
from movielens_recsys.models.bayesian.sampler import kept_sweeps

SMALL = BayesianMFConfig(n_factors=3, sweeps=12, burn_in=4, n_posterior_samples=4)


def test_quantiles_agree_with_scipy() -> None:
    shares = np.r_[1e-300, 1e-40, 1e-9, np.linspace(0.001, 0.999, 201)]
    np.testing.assert_allclose(
        [normal_quantile(share) for share in shares], ndtri(shares), rtol=1e-12, atol=1e-14
    )


def test_truncated_draws_stay_inside_in_either_tail() -> None:
    for low, high in ((-np.inf, -8.0), (5.0, 6.0), (40.0, 41.0), (-41.0, -40.0), (-0.1, 0.2)):
        drawn = [truncated_normal_quantile(low, high, uniform) for uniform in (0.0, 0.3, 0.999)]
        assert low <= min(drawn) <= max(drawn) <= high


def test_a_row_is_drawn_from_its_exact_conditional() -> None:
    rng = np.random.default_rng(0)
    others, n = rng.integers(0, 50, 600).astype(np.int32), 600
    other_rows, prior, noise = (rng.normal(size=(k, 9)).astype(np.float32) for k in (50, 3, 3))
    targets = rng.normal(size=n).astype(np.float32)
    weights = rng.uniform(0.5, 1.5, n).astype(np.float32)
    starts, precision = np.array([0, 0, 20, n]), np.full(9, 2, np.float32)
    rows = np.zeros((3, 9), np.float32)
    entries = np.arange(n, dtype=np.int32)
    draw_rows(0, 3, starts, entries, others, other_rows, targets, weights, prior, precision, noise, rows)
    for r in range(3):
        own = slice(starts[r], starts[r + 1])
        design = other_rows[others[own]].astype(np.float64)
        target = targets[own] - design[:, 0]
        design[:, 0] = 1
        matrix = 2 * np.eye(9) + (design.T * weights[own]) @ design
        mean = np.linalg.solve(matrix, 2 * prior[r] + (design.T * weights[own]) @ target)
        expected = mean + np.linalg.solve(np.linalg.cholesky(matrix).T, noise[r])
        np.testing.assert_allclose(rows[r], expected, atol=1e-4)


def test_threads_change_no_figure() -> None:
    train = synthetic_ratings(60, 40, 900, seed=2).ratings
    before = torch.get_num_threads()
    states = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            states.append(BayesianMF.fit(SMALL, train, seed=5).state())
    finally:
        torch.set_num_threads(before)
    for name, array in states[0].items():
        np.testing.assert_array_equal(array, states[1][name], err_msg=name)


def test_kept_draws_are_even_and_end_with_the_last() -> None:
    assert kept_sweeps(SMALL) == [6, 8, 10, 12]


def test_random_projections_find_the_exact_leading_eigenvectors(monkeypatch: pytest.MonkeyPatch) -> None:
    train = synthetic_ratings(300, 200, 6_000, seed=2).ratings
    bag, rank = implicit_features(train)[0], 12
    exact = Kernel.of(bag, rank, seed=1, loadings=True)
    monkeypatch.setattr(gp_kernels, "MAX_EXACT_SIZE", 0)
    monkeypatch.setattr(gp_kernels, "ROWS_PER_BLOCK", 64)
    found = Kernel.of(bag, rank, seed=1, loadings=True)
    np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(rank), atol=1e-5)
    # the first is far from the rest, whose eigenvalues lie close together
    np.testing.assert_allclose(np.abs(found.vectors[:, 0]), np.abs(exact.vectors[:, 0]), atol=1e-4)
    assert 0.98 < found.values.sum() / exact.values.sum() < 1.02
    np.testing.assert_allclose(found.loadings, bag.T @ (found.vectors / _raw(bag, found)), atol=1e-4)


def _raw(bag: sparse.csr_array, kernel: Kernel) -> np.ndarray:
    """Return the eigenvalues of F F^T that belong to the kernel's vectors."""
    return ((bag.T @ kernel.vectors) ** 2).sum(0)


def test_projections_of_a_low_rank_find_that_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    thin = sparse.csr_array(rng.normal(size=(90, 5)) @ rng.normal(size=(5, 70)), dtype=np.float32)
    monkeypatch.setattr(gp_kernels, "MAX_EXACT_SIZE", 0)
    assert len(Kernel.of(thin, 20, seed=0).values) == 5


def test_catalogues_are_scored_by_the_mean_over_draws() -> None:
    config = SMALL.model_copy(update={"sweeps": 24, "n_posterior_samples": 20})
    train = synthetic_ratings(60, 40, 900, seed=2).ratings
    model = BayesianMF.fit(config, train, seed=5)
    draws, users = model.samples, np.arange(9)
    rows, others = draws.users.astype(np.float64)[:, users], draws.items.astype(np.float64)[:, :-1]
    each = np.einsum("dnk,dmk->dnm", rows[:, :, 1:], others[:, :, 1:]) + rows[:, :, :1]
    expected = (each + others[:, None, :, 0]).mean(0)
    np.testing.assert_allclose(model.score(users), expected, atol=1e-5)


def one_rating_each(stars: np.ndarray) -> Ratings:
    """As many users as stars, who gave them to the same item."""
    n = len(stars)
    return Ratings(
        name="one-each",
        users=np.arange(n, dtype=np.int32),
        items=np.zeros(n, np.int32),
        ratings=stars,
        timestamps=None,
        user_ids=np.arange(n),
        item_ids=np.array([7]),
        scale=Scale(1, 5, 1),
    )


def test_the_unknown_are_answered_at_the_level_of_the_known_though_nobody_rated_twice() -> None:
    stars = np.random.default_rng(0).choice([4.0, 5.0], size=79).astype(np.float32)
    train = one_rating_each(stars)
    model = BayesianMF.fit(SMALL.model_copy(update={"sweeps": 120, "burn_in": 40}), train, seed=0)
    unknown, only = np.array([-1]), np.array([0])
    assert model.predict(unknown, only)[0] == pytest.approx(stars.mean(), abs=0.3)
    assert model.fold_in(only[:0], stars[:0])[0] == pytest.approx(model.predict(unknown, only)[0], abs=1e-3)


def test_a_scale_of_two_levels_has_one_cutpoint() -> None:
    stars = np.random.default_rng(0).choice([4.0, 5.0], size=200, p=[0.2, 0.8]).astype(np.float32)
    train = dataclasses.replace(one_rating_each(stars), scale=Scale(4, 5, 1))
    model = BayesianMF.fit(SMALL.model_copy(update={"sweeps": 120, "burn_in": 40}), train, seed=0)
    assert model.predict(np.array([-1]), np.array([0]))[0] == pytest.approx(stars.mean(), abs=0.15)
