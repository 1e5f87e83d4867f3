"""Low-rank Gaussian process kernels over users and items.

With features F, one row per user (or item), K = F F^T says that users with similar rows have similar
factors: the factors have a component with covariance K. In the eigenbasis K = V diag(s) V^T that component
is V t with independent t_k ~ N(0, s_k), so that it is drawn exactly, at a cost that depends on the rank and
not on the number of features. (The weight-space view of a Gaussian process: Rasmussen & Williams, 2006,
section 2.1.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from movielens_recsys.arrays import F32, F64
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.features.side_info import item_features, user_features
from movielens_recsys.seeds import derive_seed, generator

MAX_EXACT_SIZE = 4_096
"""Up to this many rows or columns the eigenbasis is exact; beyond, it is found by random projections."""
MIN_EIGENVALUE_RATIO = 1e-5
"""Eigenvalues below this share of the largest are left out."""
SUBSPACE_ITERATIONS = 4
OVERSAMPLING = 16
"""Dimensions of the random projections beyond the rank, so that the last eigenvectors are accurate too."""
DEPENDENT_RATIO = 1e-12
"""A direction with a smaller share of the variance is a linear combination of others, and left out."""
ROWS_PER_BLOCK = 16_384
"""Rows that are held in double precision at a time."""


@dataclass(frozen=True, eq=False)
class Kernel:
    """K = F F^T in its eigenbasis, scaled so that its mean diagonal is 1.

    Attributes
    ----------
    vectors
        Orthonormal columns V, shape (n, rank).
    values
        Eigenvalues of the scaled K, shape (rank,), descending.
    loadings
        F^T V diag(1 / eigenvalue of F F^T), shape (n_features, rank): with V t the component of the rows in
        F, loadings @ t is what each feature adds to any row that has it. Shape (0, rank) unless requested.
    """

    vectors: F32
    values: F32
    loadings: F32

    @classmethod
    def of(cls, features: sparse.csr_array, rank: int, seed: int, *, loadings: bool = False) -> Kernel:
        """Decompose ``features``, shape (n, n_features), to at most ``rank`` of the largest eigenvalues."""
        # On one thread: the number of threads must not change the last digit of an eigenvector, because
        # every sample of every chain depends on it.
        with threadpool_limits(1, user_api="blas"):
            return cls._of(features, rank, seed, loadings)

    @classmethod
    def _of(cls, features: sparse.csr_array, rank: int, seed: int, loadings: bool) -> Kernel:
        n, n_features = features.shape
        if min(n, n_features) <= MAX_EXACT_SIZE:
            vectors, eigenvalues = _exact_eigenbasis(features, rank)
        else:
            vectors, eigenvalues = _projected_eigenbasis(features, rank, seed)
        # Beyond the numerical rank the vectors are rounding errors, and `loadings` divides by the values.
        keep = min(rank, int((eigenvalues > MIN_EIGENVALUE_RATIO * eigenvalues[0]).sum()))
        vectors, eigenvalues = np.ascontiguousarray(vectors[:, :keep], np.float32), eigenvalues[:keep]
        loaded = np.zeros((0, keep), np.float32)
        if loadings:
            loaded = np.asarray(features.T @ (vectors / eigenvalues.astype(np.float32)), np.float32)
        # A mean diagonal of 1 puts all kernels on one scale, whatever their features' lengths: the prior of
        # the components' relative precisions is the same for each.
        diagonal = [vectors[block].astype(np.float64) ** 2 @ eigenvalues for block in _blocks(n)]
        mean_diagonal = float(np.concatenate(diagonal).mean())
        return cls(vectors, (eigenvalues / mean_diagonal).astype(np.float32), loaded)


@dataclass(frozen=True, eq=False)
class Kernels:
    """The kernels over users and those over items, shared by all chains."""

    users: tuple[Kernel, ...]
    items: tuple[Kernel, ...]

    @classmethod
    def of(cls, config: BayesianMFConfig, train: Ratings, seed: int) -> Self:
        """Decompose what ``config`` switches on: implicit features first, then side information.

        Only the users' implicit features have loadings: they give a new user a prior from the items rated,
        see `fold_in`.
        """
        seed, rank = derive_seed(seed, "kernels"), config.kernel_rank
        users, items = [], []
        if config.implicit_features:
            of_users, of_items = implicit_features(train)
            users.append(Kernel.of(of_users, rank, seed, loadings=True))
            items.append(Kernel.of(of_items, rank, seed))
        if config.side_information:
            for kernels, features in ((users, user_features(train)), (items, item_features(train))):
                if features is not None:
                    kernels.append(Kernel.of(features, rank, seed))
        return cls(tuple(users), tuple(items))


def _exact_eigenbasis(features: sparse.csr_array, rank: int) -> tuple[F32, F64]:
    """Return the leading eigenvectors and all eigenvalues of F F^T, from the smaller of F F^T and F^T F."""
    n, n_features = features.shape
    double = features.astype(np.float64)
    # Summed in double precision, decomposed in single, in half the memory: the error of `eigh`, about 1e-7 of
    # the largest eigenvalue, is far below `MIN_EIGENVALUE_RATIO`.
    gram = np.asarray((double @ double.T if n <= n_features else double.T @ double).todense(), np.float32)
    values, basis = np.linalg.eigh(gram)
    eigenvalues = np.maximum(values[::-1].astype(np.float64), 0)
    vectors = basis[:, ::-1][:, :rank]
    if n > n_features:
        # An eigenvector w of F^T F with eigenvalue s gives the eigenvector F w / sqrt(s) of F F^T.
        lengths = np.sqrt(np.maximum(eigenvalues[:rank], 1e-12))
        vectors = np.asarray(features.astype(np.float32) @ vectors) / lengths
    return vectors.astype(np.float32), eigenvalues


def _projected_eigenbasis(features: sparse.csr_array, rank: int, seed: int) -> tuple[F32, F64]:
    """Find the leading eigenvectors by subspace iteration (Halko, Martinsson & Tropp, 2011, alg. 4.4)."""
    n, n_features = features.shape
    rng = generator(seed, "kernel")
    basis = rng.standard_normal((n, min(rank + OVERSAMPLING, n, n_features)), dtype=np.float32)
    for _ in range(SUBSPACE_ITERATIONS):
        projected = np.asarray(features.T @ basis, np.float32)
        # Freed before the next product: with millions of users each of these is gigabytes.
        del basis
        basis = _orthonormalize(np.asarray(features @ projected, np.float32))
        del projected
    # Rayleigh-Ritz: the eigenvectors of K within the subspace.
    values, rotation = np.linalg.eigh(_gram(np.asarray(features.T @ basis, np.float32)))
    return _rotate(basis, rotation[:, ::-1]), np.maximum(values[::-1], 0)


def _orthonormalize(columns: F32) -> F32:
    """Return orthonormal columns of the same span; ``columns`` are overwritten.

    By the eigenvectors of their Gram matrix, which needs one matrix of this size; a Householder QR in numpy
    needs three in double precision.
    """
    # Twice, because a Gram matrix squares the condition number: one pass is accurate only to the square root
    # of the precision, and the second starts from columns that are nearly orthonormal.
    for _ in range(2):
        gram = _gram(columns)
        lengths = np.sqrt(np.maximum(np.diag(gram), np.finfo(np.float32).tiny))
        values, vectors = np.linalg.eigh(gram / lengths / lengths[:, None])
        independent = values > DEPENDENT_RATIO * values[-1]
        scaled = vectors[:, independent] / np.sqrt(values[independent]) / lengths[:, None]
        columns = _rotate(columns, scaled[:, ::-1])
    return columns


def _gram(columns: F32) -> F64:
    """Return columns^T columns, summed in double precision."""
    gram = np.zeros((columns.shape[1], columns.shape[1]))
    for block in _blocks(len(columns)):
        rows = columns[block].astype(np.float64)
        gram += rows.T @ rows
    return gram


def _rotate(columns: F32, matrix: F64) -> F32:
    """Return columns @ matrix, of no more columns; ``columns`` are overwritten."""
    for block in _blocks(len(columns)):
        columns[block, : matrix.shape[1]] = columns[block] @ matrix
    return np.ascontiguousarray(columns[:, : matrix.shape[1]])


def _blocks(n: int) -> list[slice]:
    return [slice(start, start + ROWS_PER_BLOCK) for start in range(0, n, ROWS_PER_BLOCK)]


def implicit_features(train: Ratings) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Return the items that each user rated and the users who rated each item, rows of length 1.

    Shapes (n_users, n_items) and (n_items, n_users); the ratings' values do not enter. The first is the
    implicit feedback of SVD++ (Koren, 2008, https://doi.org/10.1145/1401890.1401944), the second its mirror
    (Rendle et al., 2019, https://arxiv.org/abs/1905.01395).
    """
    rated = sparse.csr_array(
        (np.ones(len(train), np.float32), (train.users, train.items)), shape=(train.n_users, train.n_items)
    )
    # A pair that occurs twice was summed to 2.
    rated.data[:] = 1
    return _unit_rows(rated), _unit_rows(rated.T.tocsr())


def _unit_rows(matrix: sparse.csr_array) -> sparse.csr_array:
    """Scale the rows of a matrix of ones to length 1."""
    lengths = np.sqrt(np.maximum(np.diff(matrix.indptr), 1)).astype(np.float32)
    return sparse.csr_array(sparse.diags_array(1 / lengths) @ matrix, dtype=np.float32)
