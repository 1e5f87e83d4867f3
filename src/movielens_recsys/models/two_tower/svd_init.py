"""Fixed embeddings of users and items from who rated what, by singular value decomposition."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import sparse
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits
from torch import Tensor

from movielens_recsys.arrays import F64
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.seeds import generator


def svd_init(ratings: Ratings, rank: int) -> tuple[Tensor, Tensor]:
    """Return the leading singular vectors of the normalised incidence matrix, users' and items'.

    The matrix has 1 / sqrt(n_u n_i) where user u rated item i (correspondence analysis); the ratings' values
    do not enter. Float32 of shape (n_users, rank) and (n_items, rank), columns scaled to a mean square of 1;
    columns beyond the matrix's rank are 0.
    """
    shape = (ratings.n_users, ratings.n_items)
    ones = np.ones(len(ratings))
    rated = sparse.csr_array((ones, (ratings.users, ratings.items)), shape=shape)
    per_user, per_item = (np.maximum(np.asarray(rated.sum(axis)).ravel(), 1) for axis in (1, 0))
    rated = sparse.csr_array(sparse.diags_array(per_user**-0.5) @ rated @ sparse.diags_array(per_item**-0.5))
    # `svds` finds fewer than all singular vectors; one more than the rank, because the first is dropped.
    n_found = min(rank + 1, min(shape) - 1)
    if n_found < 2:
        return torch.zeros(shape[0], rank), torch.zeros(shape[1], rank)
    # A fixed initial vector and one thread: the embeddings are inputs of every encoder, so a different last
    # digit, or sign, would be a different model.
    initial = generator(0, "spectrum").standard_normal(min(shape))
    with threadpool_limits(1, user_api="blas"):
        left, values, right = svds(rated, k=n_found, v0=initial)
    # Without the first pair: its singular value is 1 and its vectors are the roots of the counts, whatever
    # the data.
    order = np.argsort(-values)[1:]
    return _scaled(left[:, order], rank), _scaled(right[order].T, rank)


def _scaled(vectors: F64, rank: int) -> Tensor:
    scaled = np.zeros((len(vectors), rank), np.float32)
    scaled[:, : vectors.shape[1]] = vectors * math.sqrt(len(vectors))
    return torch.from_numpy(scaled)
