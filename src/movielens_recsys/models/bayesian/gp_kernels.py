"""What is known of users and items beside their stars, as low-rank Gaussian process kernels.

A side's features F, one row per user or item, say that those with similar rows have similar factors: the
factors have a component with covariance K = F F^T. In the eigenbasis K = V diag(s) V^T that component is
V t with independent t, so that it is drawn exactly and cheaply however long the rows of F are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from movielens_recsys.arrays import F32
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.seeds import derive_seed, generator

DENSE_SIDE = 4_096
"""Up to this many rows or columns the eigenbasis is exact; beyond, it is found by random projections."""
SMALLEST_SHARE = 1e-5
"""Eigenvalues below this share of the largest are left out."""
SUBSPACE_STEPS = 4
SPARE = 16
"""Dimensions beyond those asked for that the projections carry, so that the last ones are found too."""
DEPENDENT_SHARE = 1e-12
"""A direction whose share of the variance is smaller than this is a sum of others, and left out."""
ROWS_AT_ONCE = 16_384
"""Rows that are held in double precision at a time."""
YEARS_A_BIN = 5
AGE_EDGES = (18, 25, 30, 35, 40, 45, 50, 56)
ZIP_DIGITS = 2


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
        F^T V diag(1 / eigenvalue of F F^T), shape (features, rank): with V t the component of the known rows,
        loadings @ t is what each feature adds to any row that has it. No row where they were not asked for.
    """

    vectors: F32
    values: F32
    loadings: F32

    @classmethod
    def of(cls, features: sparse.csr_array, rank: int, seed: int, *, loadings: bool = False) -> Kernel:
        """Decompose, keeping at most ``rank`` of the largest eigenvalues.

        On one thread: how many there are must not change an eigenvector's last digit.
        """
        with threadpool_limits(1, user_api="blas"):
            return cls._of(features, rank, seed, loadings)

    @classmethod
    def _of(cls, features: sparse.csr_array, rank: int, seed: int, loadings: bool) -> Kernel:
        n, m = features.shape
        if min(n, m) <= DENSE_SIDE:
            vectors, raw = _exact(features, rank)
        else:
            vectors, raw = _projected(features, rank, seed)
        keep = min(rank, int((raw > SMALLEST_SHARE * raw[0]).sum()))
        vectors, raw = np.ascontiguousarray(vectors[:, :keep], np.float32), raw[:keep]
        loaded = np.zeros((0, keep), np.float32)
        if loadings:
            loaded = np.asarray(features.T @ (vectors / raw.astype(np.float32)), np.float32)
        diagonal = [vectors[block].astype(np.float64) ** 2 @ raw for block in _blocks(n)]
        mean_diagonal = float(np.concatenate(diagonal).mean())
        return cls(vectors, (raw / mean_diagonal).astype(np.float32), loaded)


@dataclass(frozen=True, eq=False)
class Kernels:
    """The kernels of both sides, which all chains share."""

    users: tuple[Kernel, ...]
    items: tuple[Kernel, ...]

    @classmethod
    def of(cls, config: BayesianMFConfig, train: Ratings, seed: int) -> Self:
        """Decompose what ``config`` says users and items are alike by: first bags, then side information."""
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


def _exact(features: sparse.csr_array, rank: int) -> tuple[F32, NDArray[np.float64]]:
    """Return the leading eigenvectors, and all eigenvalues, of F F^T, by way of the smaller side."""
    n, m = features.shape
    small = features.astype(np.float64)
    gram = np.asarray((small @ small.T if n <= m else small.T @ small).todense(), np.float32)
    values, basis = np.linalg.eigh(gram)
    raw = np.maximum(values[::-1].astype(np.float64), 0)
    vectors = basis[:, ::-1][:, :rank]
    if n > m:
        lengths = np.sqrt(np.maximum(raw[:rank], 1e-12))
        vectors = np.asarray(features.astype(np.float32) @ vectors) / lengths
    return vectors.astype(np.float32), raw


def _projected(features: sparse.csr_array, rank: int, seed: int) -> tuple[F32, NDArray[np.float64]]:
    """Find the leading eigenvectors by subspace iteration (Halko, Martinsson & Tropp, 2011, alg. 4.4)."""
    n, m = features.shape
    rng = generator(seed, "kernel")
    basis = rng.standard_normal((n, min(rank + SPARE, n, m)), dtype=np.float32)
    for _ in range(SUBSPACE_STEPS):
        projected = np.asarray(features.T @ basis, np.float32)
        del basis
        basis = _orthonormal(np.asarray(features @ projected, np.float32))
        del projected
    raw, rotation = np.linalg.eigh(_gram(np.asarray(features.T @ basis, np.float32)))
    return _rotated(basis, rotation[:, ::-1]), np.maximum(raw[::-1], 0)


def _orthonormal(columns: F32) -> F32:
    """Return orthonormal columns of the same span; ``columns`` are overwritten.

    Twice by the eigenvectors of their Gram matrix: once is accurate to the root of the precision only. That
    needs one matrix of this size, where a Householder QR in numpy needs three in double precision.
    """
    for _ in range(2):
        gram = _gram(columns)
        lengths = np.sqrt(np.maximum(np.diag(gram), np.finfo(np.float32).tiny))
        values, vectors = np.linalg.eigh(gram / lengths / lengths[:, None])
        free = values > DEPENDENT_SHARE * values[-1]
        columns = _rotated(columns, (vectors[:, free] / np.sqrt(values[free]) / lengths[:, None])[:, ::-1])
    return columns


def _gram(columns: F32) -> NDArray[np.float64]:
    """Return columns^T columns, summed in double precision."""
    gram = np.zeros((columns.shape[1], columns.shape[1]))
    for block in _blocks(len(columns)):
        rows = columns[block].astype(np.float64)
        gram += rows.T @ rows
    return gram


def _rotated(columns: F32, matrix: NDArray[np.float64]) -> F32:
    """Return columns @ matrix; ``columns``, of which there are no fewer, are overwritten."""
    for block in _blocks(len(columns)):
        columns[block, : matrix.shape[1]] = columns[block] @ matrix
    return np.ascontiguousarray(columns[:, : matrix.shape[1]])


def _blocks(n: int) -> list[slice]:
    return [slice(start, start + ROWS_AT_ONCE) for start in range(0, n, ROWS_AT_ONCE)]


def implicit_features(train: Ratings) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Return who rated what, whatever the stars: each user's items and each item's users, rows of length 1.

    The first is the implicit feedback of SVD++ (Koren, 2008), the second its mirror (Rendle et al., 2019).
    """
    rated = sparse.csr_array(
        (np.ones(len(train), np.float32), (train.users, train.items)), shape=(train.n_users, train.n_items)
    )
    rated.data[:] = 1
    return _of_length_one(rated), _of_length_one(rated.T.tocsr())


def _of_length_one(rows: sparse.csr_array) -> sparse.csr_array:
    lengths = np.sqrt(np.maximum(np.diff(rows.indptr), 1)).astype(np.float32)
    return sparse.csr_array(sparse.diags_array(1 / lengths) @ rows, dtype=np.float32)


def user_features(ratings: Ratings) -> sparse.csr_array | None:
    """Return one-hot age group, gender, occupation, region and age by gender; None where nothing is known."""
    table = ratings.user_table
    if table is None:
        return None
    columns = {name: table[name].cast(pl.String).fill_null("?").to_numpy() for name in table.columns}
    if "age" in columns:
        ages = table["age"].cast(pl.Float64, strict=False).fill_null(0).to_numpy()
        columns["age"] = np.digitize(ages, AGE_EDGES).astype(str).astype(object)
    parts = [one_hot(columns[name]) for name in ("age", "gender", "occupation") if name in columns]
    if "zip_code" in columns:
        regions = np.array([code[:ZIP_DIGITS] for code in columns["zip_code"]], dtype=object)
        parts.append(0.5 * one_hot(regions))
    if "age" in columns and "gender" in columns:
        parts.append(one_hot(columns["age"] + columns["gender"]))
    return sparse.csr_array(sparse.hstack(parts), dtype=np.float32) if parts else None


def item_features(ratings: Ratings) -> sparse.csr_array | None:
    """Return genres, release year and its five-year bin; None where neither is known."""
    table = ratings.item_table
    if table is None:
        return None
    parts = []
    if "genres" in table.columns:
        lists = table["genres"].fill_null([]).to_list()
        names = sorted({genre for genres in lists for genre in genres})
        position = {name: column for column, name in enumerate(names)}
        pairs = [(row, position[genre]) for row, genres in enumerate(lists) for genre in genres]
        if pairs:
            row, column = np.array(pairs).T
            ones = np.ones(len(pairs), np.float32)
            parts.append(sparse.csr_array((ones, (row, column)), shape=(len(lists), len(names))))
    if "year" in table.columns and table["year"].drop_nulls().len():
        years = table["year"].fill_null(int(table["year"].median() or 0)).to_numpy()  # type: ignore[arg-type]
        parts += [one_hot(years // YEARS_A_BIN), 0.7 * one_hot(years)]
    return sparse.csr_array(sparse.hstack(parts), dtype=np.float32) if parts else None


def one_hot(values: NDArray[np.generic]) -> sparse.csr_array:
    """Return one column per distinct value, one 1 in each row."""
    names, codes = np.unique(values, return_inverse=True)
    ones = np.ones(len(codes), np.float32)
    return sparse.csr_array((ones, (np.arange(len(codes)), codes)), shape=(len(codes), len(names)))
