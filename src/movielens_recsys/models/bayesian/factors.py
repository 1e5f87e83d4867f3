"""One side of the model, users or items: a row of bias and factors for each, and the prior they share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from movielens_recsys.arrays import F32, I32, I64
from movielens_recsys.models.base import Arrays
from movielens_recsys.models.bayesian.gp_kernels import Kernel
from movielens_recsys.models.bayesian.numba_ops import draw_rows
from movielens_recsys.models.bayesian.parallel import ThreadPool, balanced_blocks

START_SPREAD = 0.1
PRECISION_RATE = 0.1
"""Row precisions are Gamma(1, this) a priori, components' relative precisions Gamma(1, 1)."""


class EntityFactors:
    """Rows x_n ~ Normal(mean + sum over kernels of V_k t_k, diag(precision)^-1), and what they share.

    t_k, shape (rank, D), has independent Normal(0, values_k / relative_precision_k) entries: its columns
    are Gaussian processes over the side with the kernel's covariance.

    Parameters
    ----------
    starts, entries
        Row n has the ratings ``entries[starts[n]:starts[n + 1]]``.
    others
        The other side's row of every rating.
    centred
        The mean of the biases is held at 0, for the other side's to carry it.
    """

    def __init__(
        self,
        starts: I64,
        entries: I32,
        others: I32,
        kernels: Sequence[Kernel],
        width: int,
        rng: np.random.Generator,
        *,
        centred: bool,
    ) -> None:
        self.starts, self.entries, self.others = starts, entries, others
        self.kernels, self.centred = kernels, centred
        self.bounds = balanced_blocks(starts)
        n = len(starts) - 1
        self.rows = START_SPREAD * rng.standard_normal((n, width), dtype=np.float32)
        self.rows[:, 0] = 0
        self.mean = np.zeros(width, np.float32)
        self.precision = np.full(width, 5.0)
        self.weights = [np.zeros((len(kernel.values), width), np.float32) for kernel in kernels]
        self.relative = [np.full(width, 2.0) for _ in kernels]
        self._components = [np.zeros((n, width), np.float32) for _ in kernels]

    def draw(
        self, other_rows: F32, targets: F32, weights: F32, rng: np.random.Generator, threads: ThreadPool
    ) -> None:
        """Draw the rows given the ratings' ``targets`` and the other side, then what the rows share."""
        prior = self.mean + sum(self._components, np.zeros_like(self.rows))
        noise = rng.standard_normal(self.rows.shape, dtype=np.float32)
        threads.over(
            self.bounds,
            draw_rows,
            self.starts,
            self.entries,
            self.others,
            other_rows,
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
        own = rest + before - self.mean
        seen = _product(kernel.vectors.T, own, threads)
        variance = 1 / (self.relative[k] / kernel.values[:, None] + self.precision)
        noise = rng.standard_normal(seen.shape, dtype=np.float32)
        self.weights[k] = (variance * self.precision * seen + np.sqrt(variance) * noise).astype(np.float32)
        squares = (self.weights[k].astype(np.float64) ** 2 / kernel.values[:, None]).sum(0)
        self.relative[k] = rng.gamma(1 + 0.5 * len(kernel.values), size=len(self.mean)) / (1 + 0.5 * squares)
        self._components[k] = _product(kernel.vectors, self.weights[k], threads)
        changed: F32 = rest + before - self._components[k]
        return changed

    def _draw_mean_and_precision(self, rest: F32, rng: np.random.Generator) -> None:
        """Draw from the Normal-Gamma conditional; mean ~ Normal(0, 1 / precision) a priori."""
        n, width = rest.shape
        free = np.ones(width)
        free[0] = not self.centred
        centre = rest.sum(0, dtype=np.float64) / (n + 1)
        mean = free * (centre + rng.standard_normal(width) / np.sqrt((n + 1) * self.precision))
        self.mean = mean.astype(np.float32)
        squares = ((rest - self.mean).astype(np.float64) ** 2).sum(0) + self.mean.astype(np.float64) ** 2
        self.precision = rng.gamma(1 + 0.5 * (n + free)) / (PRECISION_RATE + 0.5 * squares)

    def loadings(self, k: int) -> F32:
        """Return what each feature of kernel ``k`` adds to the row of one who has it, shape (features, D)."""
        product: F32 = self.kernels[k].loadings @ self.weights[k]
        return product

    def state(self) -> Arrays:
        """Return all that the next draw depends on."""
        arrays: Arrays = {"rows": self.rows, "mean": self.mean, "precision": self.precision}
        for k in range(len(self.kernels)):
            arrays[f"weights.{k}"] = self.weights[k]
            arrays[f"relative.{k}"] = self.relative[k]
            arrays[f"component.{k}"] = self._components[k]
        return arrays

    def restore(self, arrays: Arrays) -> None:
        """Go back to what `state` returned."""
        self.rows, self.mean = arrays["rows"].astype(np.float32), arrays["mean"].astype(np.float32)
        self.precision = arrays["precision"].astype(np.float64)
        for k in range(len(self.kernels)):
            self.weights[k] = arrays[f"weights.{k}"].astype(np.float32)
            self.relative[k] = arrays[f"relative.{k}"].astype(np.float64)
            self._components[k] = arrays[f"component.{k}"].astype(np.float32)


def _product(matrix: F32, rows: F32, threads: ThreadPool) -> F32:
    """Return matrix @ rows, in stretches of the matrix's rows."""
    out = np.empty((len(matrix), rows.shape[1]), np.float32)

    def multiply(first: int, last: int) -> None:
        np.matmul(matrix[first:last], rows, out=out[first:last])

    threads.over([*range(0, len(matrix), 512), len(matrix)], multiply)
    return out
