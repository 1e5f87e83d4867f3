"""Quantiles and truncated samples of the normal distribution."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from movielens_recsys.models.bayesian.normal import normal_quantile, truncated_normal_quantile


def test_quantiles_equal_scipys() -> None:
    shares = np.r_[1e-300, 1e-40, 1e-9, np.linspace(0.001, 0.999, 201)]
    quantiles = [normal_quantile(share) for share in shares]
    np.testing.assert_allclose(quantiles, ndtri(shares), rtol=1e-12, atol=1e-14)


def test_truncated_quantiles_are_inside_the_interval_in_either_tail() -> None:
    for low, high in ((-np.inf, -8.0), (5.0, 6.0), (40.0, 41.0), (-41.0, -40.0), (-0.1, 0.2)):
        quantiles = [truncated_normal_quantile(low, high, uniform) for uniform in (0.0, 0.3, 0.999)]
        assert low <= min(quantiles) <= max(quantiles) <= high
