"""EASE: the linear map from histories to the catalogue that best predicts each item from the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

from movielens_recsys.arrays import F32
from movielens_recsys.errors import ModelError
from movielens_recsys.models.base import Arrays
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.models.implicit.model import ImplicitModel, InteractionMatrix


class EASE(ImplicitModel):
    """score(u, .) = x_u B, where B is the ridge regression of each item on all others.

    Minimises sum_u w_u |x_u - x_u B|^2 + regularization |B|^2 with diag B = 0. With P = (X^T W X +
    regularization I)^-1, B_ij = -P_ij / P_jj off the diagonal (Steck, 2019,
    https://doi.org/10.1145/3308558.3313710). There W = I; here w_u is n_u^-user_damping of the user's n_u
    positives, scaled to a mean of 1 over positives, so that the penalty has the same effect whatever the
    damping. B is learned among the ``max_items`` most rated items; all others rank below them.
    """

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Items that B was learned among."""
        among = np.zeros(self.n_items, bool)
        among[self.learned["items"]] = True
        return among

    @classmethod
    def fit_arrays(cls, config: EASEConfig, histories: InteractionMatrix, seed: int) -> Arrays:
        """Solve for B among the ``max_items`` most rated items.

        Raises
        ------
        ModelError
            If the penalty is too small for the equations to be solved.
        """
        counts = np.bincount(histories.indices, minlength=histories.shape[1])
        order = np.argsort(-counts, kind="stable")[: config.max_items]
        items = np.sort(order[counts[order] > 0])
        kept = histories[:, items]
        n_positives = np.maximum(np.diff(histories.indptr), 1).astype(np.float64)
        weights = n_positives**-config.user_damping
        weights *= histories.nnz / (weights @ np.diff(histories.indptr))
        weighted = sparse.diags_array(weights) @ kept.astype(np.float64)
        gram = (kept.T @ weighted).toarray(order="F")
        gram[np.diag_indices_from(gram)] += config.regularization
        mapping = _inverse(gram)
        mapping /= -np.diag(mapping).copy()  # copied: the division changes the diagonal that it reads
        np.fill_diagonal(mapping, 0)
        return {"items": items.astype(np.int64), "mapping": np.ascontiguousarray(mapping, np.float32)}

    def score_histories(self, histories: InteractionMatrix) -> F32:
        """Return x B; 0 for an item that is not `scored`."""
        items = self.learned["items"]
        scores = np.zeros((histories.shape[0], self.n_items), np.float32)
        scores[:, items] = histories[:, items] @ self.learned["mapping"]
        return scores

    @property
    def similarity_meaning(self) -> str:
        """Similarities are partial correlations."""
        return "partial correlation of who has the two items, given all other items"

    def item_similarities(self, item: int) -> F32:
        """Return -P_ij / sqrt(P_ii P_jj), which is the geometric mean of B_ij and B_ji with their sign."""
        similarities = np.zeros(self.n_items, np.float32)
        items, mapping = self.learned["items"], self.learned["mapping"]
        for position in np.flatnonzero(items == item):
            there, back = mapping[position], mapping[:, position]
            similarities[items] = np.sign(there) * np.sqrt(np.maximum(there * back, 0))
        return similarities


def _inverse(gram: np.ndarray) -> np.ndarray:
    """Invert a positive definite matrix (in Fortran order) in place, by its Cholesky factor."""
    factor, failed = lapack.dpotrf(gram, lower=True, overwrite_a=True)
    if not failed:
        half, failed = lapack.dpotri(factor, lower=True, overwrite_c=True)
    if failed:
        raise ModelError(
            "the equations of EASE cannot be solved", next_step="raise model.regularization, say to 100"
        )
    half += np.tril(half, -1).T
    inverse: np.ndarray = half
    return inverse
