"""Biases and factors of all users, or of all items, and the prior that they share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from movielens_recsys.arrays import F32, I32, I64
from movielens_recsys.models.base import Arrays
from movielens_recsys.models.bayesian.gp_kernels import Kernel
from movielens_recsys.models.bayesian.numba_ops import draw_rows
from movielens_recsys.models.bayesian.parallel import ThreadPool, balanced_blocks

INITIAL_FACTOR_STD = 0.1
INITIAL_PRECISION = 5.0
INITIAL_RELATIVE_PRECISION = 2.0
PRECISION_RATE = 0.1
"""Row precisions are Gamma(1, this) a priori, components' relative precisions Gamma(1, 1)."""
ROWS_PER_PRODUCT = 512


class EntityFactors:
    """Rows x_n ~ Normal(mean + sum over kernels of V_k t_k, diag(precision)^-1), and what they share.

    A row is the bias, then the factors of one user or item, D = 1 + n_factors numbers. The weights t_k, shape
    (rank, D), have independent Normal(0, values_k / relative_precisions_k) entries: the columns of V_k t_k
    are Gaussian processes over the users (or items) with the kernel's covariance.

    Parameters
    ----------
    starts, entries
        Row n has the ratings ``entries[starts[n]:starts[n + 1]]``; shapes (n_rows + 1,) and (n_ratings,).
    partners
        The row of every rating's partner: its item, where these are users, and its user, where items.
    width
        D.
    centered
        Whether the mean of the biases is fixed at 0.
    """

    def __init__(
        self,
        starts: I64,
        entries: I32,
        partners: I32,
        kernels: Sequence[Kernel],
        width: int,
        rng: np.random.Generator,
        *,
        centered: bool,
    ) -> None:
        self.starts, self.entries, self.partners = starts, entries, partners
        self.kernels, self.centered = kernels, centered
        self.bounds = balanced_blocks(starts)
        n = len(starts) - 1
        self.rows = INITIAL_FACTOR_STD * rng.standard_normal((n, width), dtype=np.float32)
        self.rows[:, 0] = 0
        self.mean = np.zeros(width, np.float32)
        self.precision = np.full(width, INITIAL_PRECISION)
        self.weights = [np.zeros((len(kernel.values), width), np.float32) for kernel in kernels]
        self.relative_precisions = [np.full(width, INITIAL_RELATIVE_PRECISION) for _ in kernels]
        self._components = [np.zeros((n, width), np.float32) for _ in kernels]

    def draw(
        self, partner_rows: F32, targets: F32, weights: F32, rng: np.random.Generator, threads: ThreadPool
    ) -> None:
        """Draw the rows given the ratings' ``targets`` and the partners' rows, then what the rows share.

        ``weights`` are the noise precisions of the ratings.
        """
        prior = self.mean + sum(self._components, np.zeros_like(self.rows))
        # All noise comes from one generator, before the threads start: which thread draws which row then
        # changes nothing, and a resumed chain continues the same stream.
        noise = rng.standard_normal(self.rows.shape, dtype=np.float32)
        threads.map_blocks(
            self.bounds,
            draw_rows,
            self.starts,
            self.entries,
            self.partners,
            partner_rows,
            targets,
            weights,
            prior,
            self.precision.astype(np.float32),
            noise,
            self.rows,
        )
        rest = self.rows - prior + self.mean
        for k in range(len(self.kernels)):
            rest = self._draw_component(k, rest, rng, threads)
        self._draw_mean_and_precision(rest, rng)

    def _draw_component(self, k: int, rest: F32, rng: np.random.Generator, threads: ThreadPool) -> F32:
        """Draw component ``k`` given ``rest``, the rows without any component; return the new rest."""
        kernel, before = self.kernels[k], self._components[k]
        observed = rest + before - self.mean
        # The columns of V are orthonormal and a column's noise is the same for all rows, so V^T x has
        # independent noise too: each weight has a scalar conditional, and no matrix is inverted.
        projected = _product(kernel.vectors.T, observed, threads)
        variance = 1 / (self.relative_precisions[k] / kernel.values[:, None] + self.precision)
        noise = rng.standard_normal(projected.shape, dtype=np.float32)
        weights = variance * self.precision * projected + np.sqrt(variance) * noise
        self.weights[k] = weights.astype(np.float32)
        # In double precision: sums of thousands of squares feed the rates of Gamma variables.
        squares = (self.weights[k].astype(np.float64) ** 2 / kernel.values[:, None]).sum(0)
        shape, rate = 1 + 0.5 * len(kernel.values), 1 + 0.5 * squares
        self.relative_precisions[k] = rng.gamma(shape, size=len(self.mean)) / rate
        self._components[k] = _product(kernel.vectors, self.weights[k], threads)
        changed: F32 = rest + before - self._components[k]
        return changed

    def _draw_mean_and_precision(self, rest: F32, rng: np.random.Generator) -> None:
        """Draw from the Normal-Gamma conditional; mean ~ Normal(0, 1 / precision) a priori."""
        n, width = rest.shape
        # A constant can move between users' and items' biases without changing a score. Fixing the items'
        # mean at 0 leaves it to the users', so that the chain does not wander along that direction.
        free = np.ones(width)
        free[0] = not self.centered
        center = rest.sum(0, dtype=np.float64) / (n + 1)
        mean = free * (center + rng.standard_normal(width) / np.sqrt((n + 1) * self.precision))
        self.mean = mean.astype(np.float32)
        squares = ((rest - self.mean).astype(np.float64) ** 2).sum(0) + self.mean.astype(np.float64) ** 2
        self.precision = rng.gamma(1 + 0.5 * (n + free)) / (PRECISION_RATE + 0.5 * squares)

    def loadings(self, k: int) -> F32:
        """Return what each feature of kernel ``k`` adds to a row that has it, shape (n_features, D)."""
        product: F32 = self.kernels[k].loadings @ self.weights[k]
        return product

    def state(self) -> Arrays:
        """Return all that the next sample depends on, under the names of a checkpoint."""
        arrays: Arrays = {"rows": self.rows, "mean": self.mean, "precision": self.precision}
        for k in range(len(self.kernels)):
            arrays[f"weights.{k}"] = self.weights[k]
            arrays[f"relative.{k}"] = self.relative_precisions[k]
            arrays[f"component.{k}"] = self._components[k]
        return arrays

    def restore(self, arrays: Arrays) -> None:
        """Continue from what `state` returned."""
        self.rows, self.mean = arrays["rows"].astype(np.float32), arrays["mean"].astype(np.float32)
        self.precision = arrays["precision"].astype(np.float64)
        for k in range(len(self.kernels)):
            self.weights[k] = arrays[f"weights.{k}"].astype(np.float32)
            self.relative_precisions[k] = arrays[f"relative.{k}"].astype(np.float64)
            self._components[k] = arrays[f"component.{k}"].astype(np.float32)


def _product(matrix: F32, rows: F32, threads: ThreadPool) -> F32:
    """Return matrix @ rows, in blocks of the matrix's rows."""
    out = np.empty((len(matrix), rows.shape[1]), np.float32)

    def multiply(first: int, last: int) -> None:
        np.matmul(matrix[first:last], rows, out=out[first:last])

    threads.map_blocks([*range(0, len(matrix), ROWS_PER_PRODUCT), len(matrix)], multiply)
    return out
