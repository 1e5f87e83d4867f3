"""Where users and items stand by who rated what, whatever the stars: the fixed start of the encoders."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits
from torch import Tensor

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.seeds import generator


def svd_init(ratings: Ratings, rank: int) -> tuple[Tensor, Tensor]:
    """Return the leading singular vectors of the normalised table of who rated what, users' and items'.

    The table has 1 / sqrt(n_u n_i) where user u rated item i (correspondence analysis); its first pair of
    vectors says only how much everybody rates, and is left out. Columns are scaled to a mean square of 1;
    those beyond what the table has are 0. Shapes (n_users, rank) and (n_items, rank).
    """
    shape = (ratings.n_users, ratings.n_items)
    ones = np.ones(len(ratings))
    table = sparse.csr_array((ones, (ratings.users, ratings.items)), shape=shape)
    per_user, per_item = (np.maximum(np.asarray(table.sum(axis)).ravel(), 1) for axis in (1, 0))
    table = sparse.csr_array(sparse.diags_array(per_user**-0.5) @ table @ sparse.diags_array(per_item**-0.5))
    found = min(rank + 1, min(shape) - 1)
    if found < 2:
        return torch.zeros(shape[0], rank), torch.zeros(shape[1], rank)
    first = generator(0, "spectrum").standard_normal(min(shape))
    with threadpool_limits(1, user_api="blas"):
        left, values, right = svds(table, k=found, v0=first)
    order = np.argsort(-values)[1:]
    return _scaled(left[:, order], rank), _scaled(right[order].T, rank)


def _scaled(vectors: NDArray[np.float64], rank: int) -> Tensor:
    scaled = np.zeros((len(vectors), rank), np.float32)
    scaled[:, : vectors.shape[1]] = vectors * math.sqrt(len(vectors))
    return torch.from_numpy(scaled)
