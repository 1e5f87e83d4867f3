"""Ratings, a short chain and its model for the tests of the Bayesian factor model."""

from __future__ import annotations

import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.bayesian.model import BayesianMF

SMALL = BayesianMFConfig(n_factors=3, sweeps=24, burn_in=4, n_posterior_samples=20)


@pytest.fixture(scope="session")
def small() -> BayesianMFConfig:
    """Few factors and sweeps."""
    return SMALL


@pytest.fixture(scope="session")
def train() -> Ratings:
    """Few ratings."""
    return synthetic_ratings(60, 40, 900, seed=2).ratings


@pytest.fixture(scope="session")
def model(small: BayesianMFConfig, train: Ratings) -> BayesianMF:
    """A fitted model; not to be changed."""
    return BayesianMF.fit(small, train, seed=5)
