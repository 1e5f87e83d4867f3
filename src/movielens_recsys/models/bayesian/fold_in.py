"""A new user's bias and factors, drawn given everything else."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F32, I64
from movielens_recsys.models.bayesian.numba_ops import draw_latent_ratings, draw_normal
from movielens_recsys.models.bayesian.posterior import PosteriorSamples

SWEEPS = 8
"""Enough, because only latent ratings and one row are drawn in turn, everything else being fixed."""


def draw_new_user(
    samples: PosteriorSamples,
    sample: int,
    items: I64,
    levels: NDArray[np.int8],
    rng: np.random.Generator,
) -> F32:
    """Return bias and factors, shape (1 + n_factors,), after `SWEEPS` Gibbs sweeps given ``sample``.

    ``items`` have the ratings ``levels``, counted from 0. The noise precision is 1, its prior mean; the
    prior variance of the random effects counts as noise. Without a history the row is that of a cold user.
    """
    if not len(items):
        cold_user: F32 = samples.users[sample][-1].astype(np.float32)
        return cold_user
    prior: F32 = samples.user_mean[sample].copy()
    if samples.loadings.shape[1]:
        loadings = samples.loadings[sample][items].astype(np.float32)
        prior += loadings.sum(0) / np.float32(math.sqrt(len(items)))
    # The score is x . (1, q_i) + b_i: the item's bias moves to the targets, and 1 takes its place.
    rows = samples.items[sample][items].astype(np.float32)
    biases = rows[:, 0].copy()
    rows[:, 0] = 1
    edges = np.concatenate([[-np.inf], samples.cutpoints[sample], [np.inf]])
    row, latent = prior.copy(), np.empty(len(items), np.float32)
    weight = 1 / samples.latent_std(sample) ** 2
    weights = np.full(len(items), weight, np.float32)
    precision = samples.user_precision[sample]
    for _ in range(SWEEPS):
        scores = rows @ row + biases
        uniforms = rng.random(len(items), dtype=np.float32)
        draw_latent_ratings(0, len(items), levels, scores, weights, edges, uniforms, latent)
        matrix = (np.diag(precision) + weight * rows.T @ rows).astype(np.float32)
        vector = (precision * prior + weight * rows.T @ (latent - biases)).astype(np.float32)
        draw_normal(matrix, vector, rng.standard_normal(len(row), dtype=np.float32), row)
    return row
