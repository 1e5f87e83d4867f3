from __future__ import annotations

import pytest

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings


@pytest.fixture(scope="session")
def split() -> Split:
    """A random split of 1,500 synthetic ratings; modules with other needs have their own."""
    return make_split(synthetic_ratings(60, 50, 1_500, seed=4).ratings, RandomSplit(seed=4))
