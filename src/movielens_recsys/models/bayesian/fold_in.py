"""A new person's row, drawn given everything else."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F32
from movielens_recsys.models.bayesian.numba_ops import augment, draw_normal
from movielens_recsys.models.bayesian.posterior import PosteriorSamples

SWEEPS = 8


def draw_row(
    draws: PosteriorSamples,
    d: int,
    items: NDArray[np.int64],
    levels: NDArray[np.int8],
    rng: np.random.Generator,
) -> F32:
    """Return a row of bias and factors after `SWEEPS` Gibbs sweeps given draw ``d``.

    ``levels`` were given to ``items``, counted from 0. The noise precision is 1, its prior mean; the variance
    of the random effects, which nothing is known of, counts as noise. Without a history the row is nobody's.
    """
    if not len(items):
        nobody: F32 = draws.users[d][-1].astype(np.float32)
        return nobody
    prior: F32 = draws.user_mean[d].copy()
    if draws.loadings.shape[1]:
        prior += draws.loadings[d][items].astype(np.float32).sum(0) / np.float32(math.sqrt(len(items)))
    rows = draws.items[d][items].astype(np.float32)
    biases = rows[:, 0].copy()
    rows[:, 0] = 1
    edges = np.concatenate([[-np.inf], draws.cutpoints[d], [np.inf]])
    row, latent = prior.copy(), np.empty(len(items), np.float32)
    weight = 1 / draws.latent_std(d) ** 2
    weights = np.full(len(items), weight, np.float32)
    diagonal = np.diag(draws.user_precision[d])
    for _ in range(SWEEPS):
        scores = rows @ row + biases
        uniforms = rng.random(len(items), dtype=np.float32)
        augment(0, len(items), levels, scores, weights, edges, uniforms, latent)
        matrix = (diagonal + weight * rows.T @ rows).astype(np.float32)
        vector = (draws.user_precision[d] * prior + weight * rows.T @ (latent - biases)).astype(np.float32)
        draw_normal(matrix, vector, rng.standard_normal(len(row), dtype=np.float32), row)
    return row
