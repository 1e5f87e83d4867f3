"""Ratings that every implicit model is fitted to."""

from __future__ import annotations

import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.synthetic import synthetic_ratings


@pytest.fixture(scope="session")
def ratings() -> Ratings:
    """50 users x 30 items, some 600 ratings."""
    return synthetic_ratings(50, 30, 600, seed=4).ratings
