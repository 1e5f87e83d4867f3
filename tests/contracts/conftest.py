"""Small ratings that every recommender is fitted to."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings


@pytest.fixture(scope="session")
def split() -> Split:
    """80 users x 60 items, where user 0 and item 0 have no training rating."""
    ratings = synthetic_ratings(80, 60, 2_000, seed=1).ratings
    random = make_split(ratings, RandomSplit(seed=1))
    cold = (ratings.users[random.train] == 0) | (ratings.items[random.train] == 0)
    return Split(
        ratings,
        random.config,
        random.train[~cold],
        random.validation,
        np.union1d(random.test, random.train[cold]),
    )
