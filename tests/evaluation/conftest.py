"""Small splits made by hand or at random, and recommenders that are matrices."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.data.splits.split import Split


class MatrixRecommender:
    """Answers from a matrix of ratings, users x items."""

    def __init__(self, matrix):
        self.matrix = np.asarray(matrix, dtype=np.float32)
        self.n_users, self.n_items = self.matrix.shape

    def predict(self, users, items):
        return self.matrix[users, items]

    def score(self, users):
        return self.matrix[users]

    def fold_in(self, items, ratings):
        return self.matrix.mean(axis=0)


def make_split(train, test, validation=(), *, n_users, n_items, name="by hand"):
    """Make a split from (user, item, rating) triples."""
    rows = [*train, *validation, *test]
    users, items, stars = (np.array(column) for column in zip(*rows, strict=True))
    ratings = Ratings(
        name=name,
        users=users.astype(np.int32),
        items=items.astype(np.int32),
        ratings=stars.astype(np.float32),
        timestamps=None,
        user_ids=np.arange(n_users) + 1,
        item_ids=np.arange(n_items) + 1,
        scale=Scale(1, 5, 1),
    )
    cuts = np.cumsum([len(train), len(validation)])
    parts = np.split(np.arange(len(rows)), cuts)
    return Split(ratings, RandomSplit(), parts[0], parts[1], parts[2])


def random_split(seed=0, *, n_users=60, n_items=80, density=0.4):
    """Make a random 80/10/10 split over distinct pairs; the last user and item are cold."""
    rng = np.random.default_rng(seed)
    pairs = np.argwhere(rng.random((n_users, n_items)) < density)
    rows = [(u, i, int(rng.integers(1, 6))) for u, i in rng.permutation(pairs)]
    tenth = len(rows) // 10
    cold = [row for row in rows if row[0] == n_users - 1 or row[1] == n_items - 1]
    warm = [row for row in rows if row not in set(cold)]
    test, validation, train = warm[:tenth] + cold, warm[tenth : 2 * tenth], warm[2 * tenth :]
    return make_split(train, test, validation, n_users=n_users, n_items=n_items)


def random_matrix(split, seed=1):
    """Rate everything at random between 1 and 5 stars, without ties."""
    rng = np.random.default_rng(seed)
    return MatrixRecommender(rng.uniform(1, 5, (split.ratings.n_users, split.ratings.n_items)))


@pytest.fixture(scope="session")
def matrix_recommender():
    return MatrixRecommender


@pytest.fixture(scope="session")
def by_hand():
    return make_split


@pytest.fixture(scope="session")
def at_random():
    return random_split


@pytest.fixture(scope="session")
def split():
    return random_split()


@pytest.fixture(scope="session")
def recommender(split):
    return random_matrix(split)


@pytest.fixture(scope="session")
def other_recommender(split):
    return random_matrix(split, seed=2)
