"""The sampler of the cutpoints: where one level of the rating scale ends and the next begins."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_banded, solveh_banded
from scipy.special import ndtri

from movielens_recsys.arrays import F32, F64
from movielens_recsys.models.bayesian.numba_ops import level_log_likelihood
from movielens_recsys.models.bayesian.parallel import ThreadPool, even_blocks

PRIOR_STD = 1.5
"""The prior is the likelihood of one pseudo-observation per level, with score 0 and this latent deviation."""
CONVERGED_STEP = 1e-3
"""Newton's method stops at steps below this, in standard deviations of the proposal."""
MAX_NEWTON_STEPS = 20


class _LogLikelihood(Protocol):
    """The log-likelihood of cutpoints, with derivatives where they are requested."""

    def __call__(self, values: F64, *, derivatives: bool = False) -> F64: ...


class CutpointSampler:
    """Cutpoints c_1 < ... < c_(levels - 1), drawn given the scores, with latent ratings integrated out.

    An independence sampler: the proposal is the normal approximation at the mode, which Newton's method
    finds, and a Metropolis-Hastings step makes the sample exact. Drawing the cutpoints given the latent
    ratings instead hardly moves them: each is confined between the highest latent rating of one level and the
    lowest of the next (Cowles, 1996, https://doi.org/10.1007/BF00162520).

    Attributes
    ----------
    values
        The cutpoints on the scale of the latent ratings, float64, shape (levels - 1,).
    accepted, proposed
        Counts of Metropolis-Hastings steps.
    """

    def __init__(self, levels: NDArray[np.int8], n_levels: int) -> None:
        shares = np.cumsum(np.bincount(levels, minlength=n_levels) + 1.0)
        self.values: F64 = ndtri(shares[:-1] / shares[-1])
        self._mode = self.values
        # The prior's pseudo-observations. Without them a level that no rating has would have no width.
        self._levels = np.r_[levels, np.arange(n_levels, dtype=np.int8)]
        self.accepted = 0
        self.proposed = 0

    @property
    def edges(self) -> F64:
        """The cutpoints between minus and plus infinity: level k lies between edges k and k + 1."""
        return _edges(self.values)

    def draw(self, scores: F32, weights: F32, rng: np.random.Generator, threads: ThreadPool) -> None:
        """Draw given the ratings' ``scores`` and noise precisions ``weights``, both of shape (n,)."""
        log_likelihood = self._log_likelihood(scores, weights, threads)
        precision = _precision_bands(self._move_to_mode(log_likelihood))
        factor = _cholesky(precision)
        proposal = self._mode + solve_banded((0, 1), factor, rng.standard_normal(len(self.values)))

        def log_importance(values: F64) -> float:
            """Return the log of target over proposal density, up to a constant."""
            away = values - self._mode
            form = (precision[1] * away**2).sum() + 2 * (precision[0, 1:] * away[1:] * away[:-1]).sum()
            return float(log_likelihood(values)[0, 0] + 0.5 * form)

        self.proposed += 1
        # Exact whatever the quality of the approximation, since the proposal does not depend on the present
        # values. A proposal out of order has likelihood 0 and is rejected here.
        if math.log(rng.random()) < log_importance(proposal) - log_importance(self.values):
            self.accepted += 1
            self.values = proposal

    def _log_likelihood(self, scores: F32, weights: F32, threads: ThreadPool) -> _LogLikelihood:
        """Return the function of cutpoints that `level_log_likelihood` is, the prior included."""
        n_levels = len(self.values) + 1
        all_scores = np.r_[scores, np.zeros(n_levels, np.float32)]
        all_weights = np.r_[weights, np.full(n_levels, 1 / PRIOR_STD**2, np.float32)]

        def evaluate(values: F64, *, derivatives: bool = False) -> F64:
            if (np.diff(values) <= 0).any():
                return np.full((4, len(values)), -np.inf)
            blocks = threads.map_blocks(
                even_blocks(len(all_scores)),
                level_log_likelihood,
                self._levels,
                all_scores,
                all_weights,
                _edges(values),
                derivatives,
            )
            total: F64 = np.sum(blocks, axis=0)
            return total

        return evaluate

    def _move_to_mode(self, log_likelihood: _LogLikelihood) -> F64:
        """Find the mode by Newton's method; return likelihood and derivatives there, (4, levels - 1)."""
        # From the previous mode, a step or two away, and never from the present values: the proposal must
        # not depend on them.
        found = log_likelihood(self._mode, derivatives=True)
        for _ in range(MAX_NEWTON_STEPS):
            step = _solve(_precision_bands(found), found[1])
            while not np.isfinite((moved := log_likelihood(self._mode + step, derivatives=True))[0, 0]):
                step = step / 2
            self._mode, found = self._mode + step, moved
            if (np.abs(step) * np.sqrt(-found[2])).max() < CONVERGED_STEP:
                break
        return found

    def to_json(self) -> dict[str, Any]:
        """Return all that the next draw depends on, as plain values."""
        return {
            "values": self.values.tolist(),
            "mode": self._mode.tolist(),
            "accepted": self.accepted,
            "proposed": self.proposed,
        }

    def restore(self, plain: Mapping[str, Any]) -> None:
        """Continue from what `to_json` returned."""
        self.values, self._mode = np.array(plain["values"]), np.array(plain["mode"])
        self.accepted, self.proposed = plain["accepted"], plain["proposed"]


def _edges(values: F64) -> F64:
    return np.concatenate([[-np.inf], values, [np.inf]])


def _precision_bands(found: F64) -> F64:
    """Return minus the Hessian as upper bands: the diagonal above the main one, then the main one."""
    return np.stack([np.r_[0.0, -found[3, :-1]], -found[2]])


def _solve(bands: F64, right: F64) -> F64:
    """Solve the symmetric tridiagonal system whose upper bands are given."""
    # A scale of two levels has one cutpoint, and LAPACK's ptsv needs two rows.
    solution: F64 = right / bands[1] if len(right) == 1 else solveh_banded(bands, right)
    return solution


def _cholesky(bands: F64) -> F64:
    """Return U with U^T U the tridiagonal matrix whose upper bands are given, in the same form."""
    upper = np.zeros_like(bands)
    for j in range(bands.shape[1]):
        if j:
            upper[0, j] = bands[0, j] / upper[1, j - 1]
        upper[1, j] = math.sqrt(bands[1, j] - upper[0, j] ** 2)
    return upper
