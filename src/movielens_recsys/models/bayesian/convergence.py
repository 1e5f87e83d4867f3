"""Convergence diagnostics of Markov chains: split R-hat and effective sample size.

Both are those of Gelman et al., Bayesian Data Analysis (3rd edition, 2013), sections 11.4 and 11.5.
"""

from __future__ import annotations

import numpy as np

from movielens_recsys.arrays import F64


def split_r_hat(traces: F64) -> F64:
    """Return the split R-hat of each quantity, shape (quantities,); 1 is convergence, 1.1 is not yet.

    Each chain counts as two, its halves. With B the variance between their means times their length n and W
    the mean variance within: R-hat = sqrt(((n - 1) / n W + B / n) / W). A constant quantity has 1.

    Parameters
    ----------
    traces
        Shape (chains, samples, quantities), at least four samples a chain.
    """
    halves = _halves(traces)
    within, pooled = _variances(halves)
    varies = within > 0
    return np.sqrt(np.divide(pooled, within, out=np.ones_like(within), where=varies))


def effective_sample_size(traces: F64) -> F64:
    """Return how many independent samples each quantity's are worth, shape (quantities,).

    m n / (1 + 2 sum of autocorrelations) over the m half-chains of n samples, summed in pairs of lags until
    the first negative pair (Geyer's initial positive sequence), at most m n.

    Parameters
    ----------
    traces
        As for `split_r_hat`.
    """
    halves = _halves(traces)
    m, n, _ = halves.shape
    within, pooled = _variances(halves)
    centred = halves - halves.mean(1, keepdims=True)
    # Padded to 2 n: the FFT's correlation is circular, and without zeros lag k would mix with lag n - k.
    spectrum = np.fft.rfft(centred, 2 * n, axis=1)
    covariance = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :n].mean(0) / n
    # Against the pooled variance: where half-chains disagree, no autocorrelation within one can hide it.
    correlation = 1 - (within - covariance) / np.where(pooled > 0, pooled, 1)
    correlation[0] = 1
    pairs = correlation[: n // 2 * 2].reshape(n // 2, 2, -1).sum(1)
    positive = np.cumprod(pairs > 0, axis=0)
    size: F64 = m * n / np.maximum(-1 + 2 * (pairs * positive).sum(0), 1)
    return size


def _halves(traces: F64) -> F64:
    chains, samples, quantities = traces.shape
    half = samples // 2
    return traces[:, samples - 2 * half :].reshape(2 * chains, half, quantities).astype(np.float64)


def _variances(halves: F64) -> tuple[F64, F64]:
    """Return the mean variance within half-chains and the pooled estimate of the variance of all."""
    n = halves.shape[1]
    within = halves.var(1, ddof=1).mean(0)
    between = halves.mean(1).var(0, ddof=1)
    return within, within * (n - 1) / n + between
