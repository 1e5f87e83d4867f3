"""Convergence diagnostics of processes for which they are known."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.models.bayesian.convergence import effective_sample_size, split_r_hat


def autoregressive(
    coefficient: float, chains: int = 4, samples: int = 4_000, quantities: int = 40
) -> np.ndarray:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(chains, samples, quantities))
    traces = np.zeros_like(noise)
    for t in range(1, samples):
        traces[:, t] = coefficient * traces[:, t - 1] + noise[:, t]
    return traces


@pytest.mark.parametrize("coefficient", [0.0, 0.5, 0.9])
def test_effective_sample_size_of_an_autoregressive_process(coefficient: float) -> None:
    expected = 16_000 * (1 - coefficient) / (1 + coefficient)
    assert np.median(effective_sample_size(autoregressive(coefficient))) == pytest.approx(expected, rel=0.1)


def test_r_hat_of_chains_that_agree_and_that_disagree() -> None:
    traces = autoregressive(0.0, samples=500)
    assert split_r_hat(traces).max() < 1.02
    traces[0] += 3
    assert split_r_hat(traces).min() > 1.3


def test_r_hat_finds_the_drift_of_a_single_chain() -> None:
    drifting = autoregressive(0.0, chains=1, samples=500) + np.linspace(0, 4, 500)[:, None]
    assert split_r_hat(drifting).min() > 1.3


def test_constant_quantities_have_converged() -> None:
    constant = np.ones((2, 10, 3))
    np.testing.assert_array_equal(split_r_hat(constant), 1)
    assert np.isfinite(effective_sample_size(constant)).all()
