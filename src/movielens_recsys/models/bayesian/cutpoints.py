"""Where one level of the rating scale ends and the next begins, on the scale of the latent ratings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_banded, solveh_banded
from scipy.special import ndtri

from movielens_recsys.arrays import F32, F64
from movielens_recsys.models.bayesian.numba_ops import likelihood
from movielens_recsys.models.bayesian.parallel import ThreadPool, even_blocks

PRIOR_SPREAD = 1.5
"""The prior is that of one imagined rating per level, with score 0 and latent ratings this far around it."""
CLOSE = 1e-3
NEWTON_STEPS = 20


class CutpointSampler:
    """Cutpoints c_1 < ... < c_(levels - 1), drawn given the scores, the latent ratings integrated out.

    An independence sampler: the proposal is the normal approximation at the mode, found by Newton's method,
    and a Metropolis-Hastings step corrects it. Drawing the cutpoints given the latent ratings instead
    hardly moves them (Cowles, 1996, https://doi.org/10.1007/BF00162520).
    """

    def __init__(self, levels: NDArray[np.int8], n_levels: int) -> None:
        shares = np.cumsum(np.bincount(levels, minlength=n_levels) + 1.0)
        self.values: F64 = ndtri(shares[:-1] / shares[-1])
        self._mode = self.values
        self._levels = np.r_[levels, np.arange(n_levels, dtype=np.int8)]
        self.accepted = 0
        self.proposed = 0

    @property
    def edges(self) -> F64:
        """The cutpoints between minus and plus infinity: level k lies between edges k and k + 1."""
        return _edges(self.values)

    def draw(self, scores: F32, weights: F32, rng: np.random.Generator, threads: ThreadPool) -> None:
        """Draw given the ratings' ``scores`` and noise precisions ``weights``."""
        n_levels = len(self.values) + 1
        all_scores = np.r_[scores, np.zeros(n_levels, np.float32)]
        all_weights = np.r_[weights, np.full(n_levels, 1 / PRIOR_SPREAD**2, np.float32)]

        def judge(values: F64, *, derivatives: bool = False) -> F64:
            if (np.diff(values) <= 0).any():
                return np.full((4, len(values)), -np.inf)
            parts = threads.over(
                even_blocks(len(all_scores)),
                likelihood,
                self._levels,
                all_scores,
                all_weights,
                _edges(values),
                derivatives,
            )
            total: F64 = np.sum(parts, axis=0)
            return total

        found = judge(self._mode, derivatives=True)
        for _ in range(NEWTON_STEPS):
            banded = np.stack([np.r_[0.0, -found[3, :-1]], -found[2]])
            step = _solve(banded, found[1])
            while not np.isfinite((better := judge(self._mode + step, derivatives=True))[0, 0]):
                step = step / 2
            self._mode, found = self._mode + step, better
            if (np.abs(step) * np.sqrt(-found[2])).max() < CLOSE:
                break
        banded = np.stack([np.r_[0.0, -found[3, :-1]], -found[2]])
        upper = _cholesky(banded)
        proposal = self._mode + solve_banded((0, 1), upper, rng.standard_normal(n_levels - 1))

        def weight(values: F64) -> float:
            """Return the log of target over proposal density, up to a constant."""
            away = values - self._mode
            form = (banded[1] * away**2).sum() + 2 * (banded[0, 1:] * away[1:] * away[:-1]).sum()
            return float(judge(values)[0, 0] + 0.5 * form)

        self.proposed += 1
        if math.log(rng.random()) < weight(proposal) - weight(self.values):
            self.accepted += 1
            self.values = proposal

    def to_json(self) -> dict[str, Any]:
        """Return all that the next draw depends on, as plain values."""
        return {
            "values": self.values.tolist(),
            "mode": self._mode.tolist(),
            "accepted": self.accepted,
            "proposed": self.proposed,
        }

    def restore(self, plain: Mapping[str, Any]) -> None:
        """Go back to what `to_json` returned."""
        self.values, self._mode = np.array(plain["values"]), np.array(plain["mode"])
        self.accepted, self.proposed = plain["accepted"], plain["proposed"]


def _edges(values: F64) -> F64:
    return np.concatenate([[-np.inf], values, [np.inf]])


def _solve(banded: F64, right: F64) -> F64:
    """Solve the symmetric tridiagonal system whose upper bands are given; LAPACK's ptsv needs two rows."""
    solution: F64 = right / banded[1] if len(right) == 1 else solveh_banded(banded, right)
    return solution


def _cholesky(banded: F64) -> F64:
    """Return U with U^T U the tridiagonal matrix whose upper bands are given, in the same form."""
    upper = np.zeros_like(banded)
    for j in range(banded.shape[1]):
        if j:
            upper[0, j] = banded[0, j] / upper[1, j - 1]
        upper[1, j] = math.sqrt(banded[1, j] - upper[0, j] ** 2)
    return upper
