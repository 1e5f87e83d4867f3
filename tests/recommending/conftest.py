"""Ratings for recommendations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.synthetic import synthetic_ratings


@pytest.fixture(scope="session")
def ratings() -> Ratings:
    """Ratings whose titles are their ids, so that each names one item."""
    return replace(synthetic_ratings(30, 40, 400, seed=5).ratings, item_table=None)
