"""Convergence figures on processes whose own are known."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.models.bayesian.convergence import effective_sample_size, split_r_hat


def autoregressive(
    coefficient: float, chains: int = 4, draws: int = 4_000, quantities: int = 40
) -> np.ndarray:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(chains, draws, quantities))
    traces = np.zeros_like(noise)
    for t in range(1, draws):
        traces[:, t] = coefficient * traces[:, t - 1] + noise[:, t]
    return traces


@pytest.mark.parametrize("coefficient", [0.0, 0.5, 0.9])
def test_effective_sample_size_of_an_autoregressive_process(coefficient: float) -> None:
    expected = 16_000 * (1 - coefficient) / (1 + coefficient)
    assert np.median(effective_sample_size(autoregressive(coefficient))) == pytest.approx(expected, rel=0.1)


def test_r_hat_of_chains_that_agree_and_of_one_that_does_not() -> None:
    traces = autoregressive(0.0, draws=500)
    assert split_r_hat(traces).max() < 1.02
    traces[0] += 3
    assert split_r_hat(traces).min() > 1.3


def test_r_hat_sees_a_single_chain_that_drifts() -> None:
    drifting = autoregressive(0.0, chains=1, draws=500) + np.linspace(0, 4, 500)[:, None]
    assert split_r_hat(drifting).min() > 1.3


def test_what_never_moves_has_converged() -> None:
    still = np.ones((2, 10, 3))
    np.testing.assert_array_equal(split_r_hat(still), 1)
    assert np.isfinite(effective_sample_size(still)).all()
