"""Kernels: exact and projected eigenbases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.models.bayesian import gp_kernels
from movielens_recsys.models.bayesian.gp_kernels import Kernel, implicit_features


def test_an_exact_kernel_is_the_gram_matrix_with_a_mean_diagonal_of_1() -> None:
    rng = np.random.default_rng(0)
    for shape in ((9, 5), (5, 9)):
        features = sparse.csr_array(rng.normal(size=shape))
        kernel = Kernel.of(features, 100, seed=0)
        gram = (features @ features.T).toarray()
        scaled = (kernel.vectors * kernel.values) @ kernel.vectors.T
        np.testing.assert_allclose(scaled, gram / np.diag(gram).mean(), atol=1e-4)


def test_projections_find_the_exact_leading_eigenvectors(monkeypatch: pytest.MonkeyPatch) -> None:
    train = synthetic_ratings(300, 200, 6_000, seed=2).ratings
    features, rank = implicit_features(train)[0], 12
    exact = Kernel.of(features, rank, seed=1, loadings=True)
    monkeypatch.setattr(gp_kernels, "MAX_EXACT_SIZE", 0)
    monkeypatch.setattr(gp_kernels, "ROWS_PER_BLOCK", 64)
    found = Kernel.of(features, rank, seed=1, loadings=True)
    np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(rank), atol=1e-5)
    # The first eigenvalue is far from the others, which are close together.
    np.testing.assert_allclose(np.abs(found.vectors[:, 0]), np.abs(exact.vectors[:, 0]), atol=1e-4)
    assert 0.98 < found.values.sum() / exact.values.sum() < 1.02
    eigenvalues = ((features.T @ found.vectors) ** 2).sum(0)
    np.testing.assert_allclose(found.loadings, features.T @ (found.vectors / eigenvalues), atol=1e-4)


def test_projections_of_a_matrix_of_low_rank_find_that_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    features = sparse.csr_array(rng.normal(size=(90, 5)) @ rng.normal(size=(5, 70)), dtype=np.float32)
    monkeypatch.setattr(gp_kernels, "MAX_EXACT_SIZE", 0)
    assert len(Kernel.of(features, 20, seed=0).values) == 5
