"""The compiled inner loops: each works on a range of rows, so that threads can share them out.

No loop's result depends on how the rows are divided. All release the interpreter's lock.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F32, F64, I32, I64
from movielens_recsys.models.bayesian.normal import density, probability, truncated

FAST = {"contract", "reassoc", "nsz"}
TILE = 256


@numba.njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def gram(
    entries: I32,
    others: I32,
    other_rows: F32,
    targets: F32,
    weights: F32,
    gathered: F32,
    scaled: F32,
    matrix: F32,
    vector: F32,
) -> None:
    """Add one row's normal equations to ``matrix`` (D, D) and ``vector`` (D,).

    matrix += sum w x x^T and vector += sum w (target - o_0) x over ``entries``, where o is the other side's
    row and x is o with its first number, the other side's bias, replaced by 1. Those rows are gathered
    `TILE` at a time into ``gathered`` and ``scaled``, both (TILE, D), and multiplied by BLAS.
    """
    width = other_rows.shape[1]
    for start in range(0, len(entries), TILE):
        n = min(TILE, len(entries) - start)
        for q in range(n):
            entry = entries[start + q]
            row = other_rows[others[entry]]
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
    """Write to ``out`` a draw from Normal(matrix^-1 vector, matrix^-1), given D standard normals.

    With the Cholesky factor matrix = U^T U: out = U^-1 (U^-T vector + noise). ``matrix``, whose upper
    triangle is read, and ``vector`` are overwritten.
    """
    width = len(vector)
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
    others: I32,
    other_rows: F32,
    targets: F32,
    weights: F32,
    prior: F32,
    precision: F32,
    noise: F32,
    rows: F32,
) -> None:
    """Draw ``rows[first:last]`` of one side from their conditional, given the other side's rows.

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
        gram(
            entries[starts[r] : starts[r + 1]],
            others,
            other_rows,
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
    """Write b_u + b_i + p_u . q_i for pairs ``first`` to ``last``; a row is its bias, then its factors."""
    width = user_rows.shape[1]
    for n in range(first, last):
        user, item = user_rows[users[n]], item_rows[items[n]]
        total = np.float32(0)
        for k in range(1, width):
            total += user[k] * item[k]
        out[n] = total + user[0] + item[0]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def augment(
    first: int,
    last: int,
    levels: NDArray[np.int8],
    scores: F32,
    weights: F32,
    edges: F64,
    uniforms: F32,
    out: F32,
) -> None:
    """Write the latent rating z ~ Normal(score, 1 / weight) between its level's two ``edges``."""
    for n in range(first, last):
        root = math.sqrt(weights[n])
        low = (edges[levels[n]] - scores[n]) * root
        high = (edges[levels[n] + 1] - scores[n]) * root
        out[n] = scores[n] + truncated(low, high, uniforms[n]) / root


@numba.njit(cache=True, nogil=True, error_model="numpy")
def draw_effect(
    groups: I32, weights: F32, precision: float, noise: F32, values: F32, residuals: F32, effects: F32
) -> None:
    """Draw each group's value from Normal(0, 1 / precision) given its residuals; move those and the sums.

    ``residuals`` are z - score, ``effects`` the sum of all random effects; both are kept up to date.
    """
    total = np.zeros(len(values))
    weight = np.full(len(values), precision)
    for n in range(len(groups)):
        g = groups[n]
        weight[g] += weights[n]
        total[g] += weights[n] * (residuals[n] + values[g])
    change = np.empty(len(values), np.float32)
    for g in range(len(values)):
        value = np.float32(total[g] / weight[g] + noise[g] / math.sqrt(weight[g]))
        change[g] = value - values[g]
        values[g] = value
    for n in range(len(groups)):
        residuals[n] -= change[groups[n]]
        effects[n] += change[groups[n]]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def likelihood(
    first: int, last: int, levels: NDArray[np.int8], scores: F32, weights: F32, edges: F64, derivatives: bool
) -> F64:
    """Return the log-likelihood of the levels given the scores; if asked, its derivatives by the cutpoints.

    Row 0 holds the sum, row 1 the gradient, rows 2 and 3 the diagonal and the diagonal above it of the
    Hessian; shape (4, levels - 1).
    """
    n_cuts = len(edges) - 2
    out = np.zeros((4, n_cuts))
    for n in range(first, last):
        level = levels[n]
        root = math.sqrt(weights[n])
        a, b = (edges[level] - scores[n]) * root, (edges[level + 1] - scores[n]) * root
        mass = probability(-a) - probability(-b) if a > 0 else probability(b) - probability(a)
        mass = max(mass, 1e-300)
        out[0, 0] += math.log(mass)
        if not derivatives:
            continue
        below, above = root * density(a) / mass, root * density(b) / mass
        if level < n_cuts:
            out[1, level] += above
            out[2, level] += -b * root * above - above * above
        if level > 0:
            out[1, level - 1] -= below
            out[2, level - 1] += a * root * below - below * below
        if 0 < level < n_cuts:
            out[3, level - 1] += below * above
    return out


@numba.njit(cache=True, nogil=True, error_model="numpy")
def expected_steps(first: int, last: int, scores: F32, spread: F32, cutpoints: F64, out: F64) -> None:
    """Add to ``out`` the expected number of levels above the lowest: sum over cutpoints of P(z > cutpoint).

    ``spread`` is the standard deviation of z around its score.
    """
    for n in range(first, last):
        inverse = 1 / spread[n]
        for cut in cutpoints:
            out[n] += probability((scores[n] - cut) * inverse)
