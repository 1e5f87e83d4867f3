"""Compiled inner loops, each over a range of rows or ratings, so that threads can share them.

No result depends on how the range is divided. All release the interpreter's lock.

Ratings and factor rows are float32: the loops are bound by memory bandwidth, and rounding at 1e-7 is far
below the noise of a Gibbs sample. What is summed over millions of ratings is float64.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F32, F64, I32, I64
from movielens_recsys.models.bayesian.normal import normal_cdf, normal_pdf, truncated_normal_quantile

FAST = {"contract", "reassoc", "nsz"}
"""Fast-math flags that let sums be vectorized; infinities and NaN keep their meaning."""
TILE = 256


@numba.njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def add_normal_equations(
    entries: I32,
    partners: I32,
    partner_rows: F32,
    targets: F32,
    weights: F32,
    gathered: F32,
    scaled: F32,
    matrix: F32,
    vector: F32,
) -> None:
    """Add one user's (or item's) normal equations to ``matrix`` (D, D) and ``vector`` (D,).

    matrix += sum w x x^T and vector += sum w (target - o_0) x over the ratings ``entries``, where o is the
    row of the rating's partner (the item, or the user) and x is o with its first number, the partner's bias,
    replaced by 1.
    """
    width = partner_rows.shape[1]
    # Partners' rows lie scattered in memory. Gathered a tile at a time into ``gathered`` and ``scaled``, both
    # (TILE, D), they are in the cache when BLAS multiplies them.
    for start in range(0, len(entries), TILE):
        n = min(TILE, len(entries) - start)
        for q in range(n):
            entry = entries[start + q]
            row = partner_rows[partners[entry]]
            weight = weights[entry]
            target = weight * (targets[entry] - row[0])
            gathered[q, 0] = 1
            scaled[q, 0] = weight
            vector[0] += target
            for k in range(1, width):
                gathered[q, k] = row[k]
                scaled[q, k] = weight * row[k]
                vector[k] += target * row[k]
        product = np.dot(gathered[:n].T, scaled[:n])
        for j in range(width):
            for k in range(width):
                matrix[j, k] += product[j, k]


@numba.njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def draw_normal(matrix: F32, vector: F32, noise: F32, out: F32) -> None:
    """Write to ``out`` a sample of Normal(matrix^-1 vector, matrix^-1), given D standard normals.

    With the Cholesky factor matrix = U^T U: out = U^-1 (U^-T vector + noise). ``matrix``, of which the upper
    triangle is read, and ``vector`` are overwritten.
    """
    width = len(vector)
    # Factor and forward substitution in one pass over a small matrix, in place: it runs once for each row.
    for j in range(width):
        row = matrix[j]
        inverse = 1 / math.sqrt(row[j])
        for k in range(j, width):
            row[k] *= inverse
        vector[j] *= inverse * inverse * row[j]
        for i in range(j + 1, width):
            factor = row[i]
            lower = matrix[i]
            for k in range(i, width):
                lower[k] -= factor * row[k]
            vector[i] -= factor * vector[j]
    for j in range(width - 1, -1, -1):
        row = matrix[j]
        value = vector[j] + noise[j]
        for k in range(j + 1, width):
            value -= row[k] * out[k]
        out[j] = value / row[j]


@numba.njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def draw_rows(
    first: int,
    last: int,
    starts: I64,
    entries: I32,
    partners: I32,
    partner_rows: F32,
    targets: F32,
    weights: F32,
    prior: F32,
    precision: F32,
    noise: F32,
    rows: F32,
) -> None:
    """Draw ``rows[first:last]``, bias and factors jointly, from their conditional given the partners' rows.

    Row r has the ratings ``entries[starts[r]:starts[r + 1]]`` and the prior Normal(prior[r], 1 / precision).
    """
    width = rows.shape[1]
    gathered = np.empty((TILE, width), np.float32)
    scaled = np.empty((TILE, width), np.float32)
    matrix = np.empty((width, width), np.float32)
    vector = np.empty(width, np.float32)
    for r in range(first, last):
        matrix[:] = 0
        for k in range(width):
            matrix[k, k] = precision[k]
            vector[k] = precision[k] * prior[r, k]
        add_normal_equations(
            entries[starts[r] : starts[r + 1]],
            partners,
            partner_rows,
            targets,
            weights,
            gathered,
            scaled,
            matrix,
            vector,
        )
        draw_normal(matrix, vector, noise[r], rows[r])


@numba.njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def pair_scores(
    first: int, last: int, users: I32, items: I32, user_rows: F32, item_rows: F32, out: F32
) -> None:
    """Write b_u + b_i + p_u . q_i for pairs ``first`` to ``last``; a row is the bias, then the factors."""
    width = user_rows.shape[1]
    for n in range(first, last):
        user, item = user_rows[users[n]], item_rows[items[n]]
        total = np.float32(0)
        for k in range(1, width):
            total += user[k] * item[k]
        out[n] = total + user[0] + item[0]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def draw_latent_ratings(
    first: int,
    last: int,
    levels: NDArray[np.int8],
    scores: F32,
    weights: F32,
    edges: F64,
    uniforms: F32,
    out: F32,
) -> None:
    """Write the latent rating z ~ Normal(score, 1 / weight), restricted to its level's two ``edges``."""
    for n in range(first, last):
        root = math.sqrt(weights[n])
        low = (edges[levels[n]] - scores[n]) * root
        high = (edges[levels[n] + 1] - scores[n]) * root
        out[n] = scores[n] + truncated_normal_quantile(low, high, uniforms[n]) / root


@numba.njit(cache=True, nogil=True, error_model="numpy")
def draw_effect(
    groups: I32, weights: F32, precision: float, noise: F32, values: F32, residuals: F32, effect_sums: F32
) -> None:
    """Draw each group's value given its ratings' residuals, with the prior Normal(0, 1 / precision).

    ``residuals`` are z - score, ``effect_sums`` the sum of all random effects of each rating; ``values`` and
    both of these are updated in place.
    """
    total = np.zeros(len(values))
    weight = np.full(len(values), precision)
    for n in range(len(groups)):
        g = groups[n]
        weight[g] += weights[n]
        # The residual without this effect: the old value is part of the score.
        total[g] += weights[n] * (residuals[n] + values[g])
    change = np.empty(len(values), np.float32)
    for g in range(len(values)):
        value = np.float32(total[g] / weight[g] + noise[g] / math.sqrt(weight[g]))
        change[g] = value - values[g]
        values[g] = value
    for n in range(len(groups)):
        residuals[n] -= change[groups[n]]
        effect_sums[n] += change[groups[n]]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def level_log_likelihood(
    first: int, last: int, levels: NDArray[np.int8], scores: F32, weights: F32, edges: F64, derivatives: bool
) -> F64:
    """Return sum log P(level | score) with the latent ratings integrated out, and its derivatives.

    Shape (4, levels - 1): the sum is at [0, 0]; with ``derivatives``, row 1 is the gradient by the cutpoints,
    rows 2 and 3 the diagonal of the Hessian and the diagonal above it. (No other element differs from 0: a
    rating's probability depends on its level's two edges alone.)
    """
    n_cutpoints = len(edges) - 2
    out = np.zeros((4, n_cutpoints))
    for n in range(first, last):
        level = levels[n]
        root = math.sqrt(weights[n])
        a, b = (edges[level] - scores[n]) * root, (edges[level + 1] - scores[n]) * root
        # In the upper tail both probabilities round to 1, so the difference is taken in the lower one.
        mass = normal_cdf(-a) - normal_cdf(-b) if a > 0 else normal_cdf(b) - normal_cdf(a)
        mass = max(mass, 1e-300)
        out[0, 0] += math.log(mass)
        if not derivatives:
            continue
        below, above = root * normal_pdf(a) / mass, root * normal_pdf(b) / mass
        if level < n_cutpoints:
            out[1, level] += above
            out[2, level] += -b * root * above - above * above
        if level > 0:
            out[1, level - 1] -= below
            out[2, level - 1] += a * root * below - below * below
        if 0 < level < n_cutpoints:
            out[3, level - 1] += below * above
    return out


@numba.njit(cache=True, nogil=True, error_model="numpy")
def add_expected_steps(first: int, last: int, scores: F32, latent_std: F32, cutpoints: F64, out: F64) -> None:
    """Add to ``out`` the expected number of levels above the lowest: sum over cutpoints of P(z > cutpoint).

    ``latent_std`` is the standard deviation of z around its score.
    """
    for n in range(first, last):
        inverse = 1 / latent_std[n]
        for cutpoint in cutpoints:
            out[n] += normal_cdf((scores[n] - cutpoint) * inverse)
