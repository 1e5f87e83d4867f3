"""Biases and factors drawn from their conditional, and the fixed mean of the items' biases."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.models.bayesian.factors import EntityFactors
from movielens_recsys.models.bayesian.parallel import ThreadPool

N_ROWS, WIDTH, PER_ROW = 200, 3, 30


def factors(rng: np.random.Generator, *, centered: bool) -> EntityFactors:
    n = N_ROWS * PER_ROW
    return EntityFactors(
        starts=np.arange(0, n + 1, PER_ROW),
        entries=np.arange(n, dtype=np.int32),
        partners=rng.integers(0, 50, n).astype(np.int32),
        kernels=(),
        width=WIDTH,
        rng=rng,
        centered=centered,
    )


@pytest.mark.parametrize("centered", [False, True])
def test_rows_and_their_mean_are_recovered_from_ratings_with_little_noise(centered: bool) -> None:
    rng = np.random.default_rng(0)
    entities = factors(rng, centered=centered)
    true = rng.normal(size=(N_ROWS, WIDTH)).astype(np.float32)
    true += np.array([0 if centered else 0.7, 0, 0.5], np.float32)
    partner_rows = rng.normal(size=(50, WIDTH)).astype(np.float32)
    design = partner_rows[entities.partners]
    targets = true[:, 0].repeat(PER_ROW) + design[:, 0]
    targets += (true[:, 1:].repeat(PER_ROW, axis=0) * design[:, 1:]).sum(1)
    with ThreadPool() as threads:
        for _ in range(5):
            entities.draw(partner_rows, targets, np.full(len(targets), 400, np.float32), rng, threads)
    np.testing.assert_allclose(entities.rows, true, atol=0.15)
    np.testing.assert_allclose(entities.mean[1:], true.mean(0)[1:], atol=0.3)
    assert (entities.mean[0] == 0) == centered
    np.testing.assert_allclose(entities.precision, 1 / true.var(0), rtol=0.5)


def test_restored_factors_are_drawn_alike() -> None:
    rng = np.random.default_rng(0)
    entities = factors(rng, centered=False)
    other = factors(np.random.default_rng(0), centered=False)
    other.restore({name: array.copy() for name, array in entities.state().items()})
    targets, weights = rng.normal(size=N_ROWS * PER_ROW).astype(np.float32), np.ones(6000, np.float32)
    partner_rows = rng.normal(size=(50, WIDTH)).astype(np.float32)
    with ThreadPool() as threads:
        for either in (entities, other):
            either.draw(partner_rows, targets, weights, np.random.default_rng(1), threads)
    np.testing.assert_array_equal(entities.rows, other.rows)
