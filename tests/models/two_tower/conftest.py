"""Ratings, a split and small configurations for the tests of the two-tower VAE."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig

SMALL = HybridVAEConfig(encoder="two_sided", n_factors=6, hidden_dims=(12,), latent_dim=4, dropout=0.0)
ALL_VARIANTS = SMALL.model_copy(update={"variants": ("skip", "attention", "hierarchical")})


@pytest.fixture(scope="session")
def small() -> HybridVAEConfig:
    """A two-tower VAE without variants."""
    return SMALL


@pytest.fixture(scope="session", params=[SMALL, ALL_VARIANTS], ids=["base", "all variants"])
def config(request: pytest.FixtureRequest) -> HybridVAEConfig:
    """A two-tower VAE without variants, and one with all."""
    return request.param


@pytest.fixture(scope="session")
def split() -> Split:
    """Enough ratings to train on."""
    return make_split(synthetic_ratings(300, 150, 12_000, seed=2, noise=0.5).ratings, RandomSplit(seed=2))


@pytest.fixture(scope="session")
def train() -> Ratings:
    """Few ratings, sorted by user and timestamp, to check formulas on."""
    ratings = synthetic_ratings(40, 25, 500, seed=4).ratings
    assert ratings.timestamps is not None
    return ratings.take(np.lexsort((ratings.timestamps, ratings.users)))
