"""SVD embeddings against a dense decomposition."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.two_tower.svd_init import svd_init


def test_embeddings_are_the_singular_vectors_after_the_trivial_first_pair(train: Ratings) -> None:
    users, items = (embeddings.numpy().astype(np.float64) for embeddings in svd_init(train, 5))
    rated = np.zeros((train.n_users, train.n_items))
    rated[train.users, train.items] = 1
    per_user, per_item = (np.maximum(rated.sum(axis), 1) for axis in (1, 0))
    normalized = rated / np.sqrt(per_user)[:, None] / np.sqrt(per_item)
    values = np.linalg.svd(normalized, compute_uv=False)
    assert values[0] == pytest.approx(1)
    found = np.diag(users.T @ normalized @ items) / np.sqrt(train.n_users * train.n_items)
    np.testing.assert_allclose(found, values[1:6], rtol=1e-5)
    np.testing.assert_allclose((users**2).mean(0), 1, rtol=1e-5)


def test_columns_beyond_the_rank_of_the_matrix_are_zero(train: Ratings) -> None:
    users, items = svd_init(train, 60)
    assert users.shape == (train.n_users, 60)
    assert not users[:, min(train.n_users, train.n_items) :].any()
    assert items[:, 0].any()
