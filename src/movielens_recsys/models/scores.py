"""Arithmetic on ranking scores and on similarities."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Float = TypeVar("Float", np.float32, np.float64)


def standardize(scores: NDArray[Float]) -> NDArray[Float]:
    """Return each row with mean 0 and standard deviation 1; a constant row becomes 0.

    Scores of different models are on different scales; standardised over the catalogue, they can be added.

    >>> standardize(np.array([[1.0, 3.0], [2.0, 2.0]], np.float32))
    array([[-1.,  1.],
           [ 0.,  0.]], dtype=float32)
    """
    centred = scores - scores.mean(axis=1, keepdims=True)
    deviation = scores.std(axis=1, keepdims=True)
    standardized: NDArray[Float] = np.divide(
        centred, deviation, out=np.zeros_like(centred), where=deviation > 0
    )
    return standardized


def cosine_similarities(rows: NDArray[Float], position: int) -> NDArray[Float]:
    """Return the cosine of each row with the one at ``position``, shape (n,); 0 where either is all zeros.

    >>> cosine_similarities(np.array([[1.0, 0.0], [2.0, 0.0], [1.0, 1.0], [0.0, 0.0]]), 0).round(3)
    array([1.   , 1.   , 0.707, 0.   ])
    """
    norms = np.linalg.norm(rows, axis=1)
    products, sizes = rows @ rows[position], norms * norms[position]
    cosines: NDArray[Float] = np.divide(products, sizes, out=np.zeros_like(products), where=sizes > 0)
    return cosines
