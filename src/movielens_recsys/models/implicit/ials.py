"""iALS: factors of users and items for the whole matrix of positives, by alternating least squares."""

from __future__ import annotations

import numpy as np

from movielens_recsys.arrays import F32
from movielens_recsys.models.base import Arrays
from movielens_recsys.models.implicit.ials_config import IALSConfig
from movielens_recsys.models.implicit.model import ImplicitModel, InteractionMatrix
from movielens_recsys.models.scores import cosine_similarities
from movielens_recsys.seeds import generator

START_SCALE = 0.1


class IALS(ImplicitModel):
    """score(u, i) = p_u . q_i, fitted to 1 for positives and, with a small weight, to 0 for all pairs.

    Minimises, over positives S (Hu, Koren & Volinsky, 2008, https://doi.org/10.1109/ICDM.2008.22),

        sum_S (p_u . q_i - 1)^2 + w0 sum_all (p_u . q_i)^2 + sum_u l_u |p_u|^2 + sum_i l_i |q_i|^2

    with the frequency-scaled penalty l_u = regularization (n_u + w0 n_items), l_i likewise, that lets iALS
    keep up with newer models (Rendle et al., 2022, https://doi.org/10.1145/3523227.3548486). A user's
    factors are solved from their history at every prediction, for known and new users alike.
    """

    config: IALSConfig

    @classmethod
    def fit_arrays(cls, config: IALSConfig, histories: InteractionMatrix, seed: int) -> Arrays:
        """Return the items' factors after ``sweeps`` sweeps from a small random start."""
        n_items, by_item = histories.shape[1], histories.T.tocsr()
        start = generator(seed, "ials").standard_normal((n_items, config.n_factors), dtype=np.float32)
        items: F32 = start * np.float32(START_SCALE / np.sqrt(config.n_factors))
        for _ in range(config.sweeps):
            users = solve_rows(config, histories, items)
            items = solve_rows(config, by_item, users)
        return {"items": items}

    def score_histories(self, histories: InteractionMatrix) -> F32:
        """Solve each history's factors given the items', then score all items."""
        items = self.learned["items"].astype(np.float32, copy=False)
        return solve_rows(self.config, histories, items) @ items.T

    @property
    def similarity_meaning(self) -> str:
        """Similarities are cosines."""
        return "cosine of the items' factors"

    def item_similarities(self, item: int) -> F32:
        """Return the cosines of the items' factors with those of ``item``."""
        return cosine_similarities(self.learned["items"].astype(np.float32, copy=False), item)


def solve_rows(config: IALSConfig, positives: InteractionMatrix, column_factors: F32) -> F32:
    """Return the factors of each row of ``positives`` given those of its columns, shape (rows, n_factors)."""
    w0, (n_columns, n_factors) = config.unobserved_weight, column_factors.shape
    # The term of all pairs is the same for every row: computed once, each row adds that of its positives.
    all_pairs = np.float32(w0) * (column_factors.T @ column_factors)
    diagonal = np.diag_indices(n_factors)
    rows = np.zeros((positives.shape[0], n_factors), np.float32)
    starts, columns = positives.indptr, positives.indices
    for row in range(len(rows)):
        rated = column_factors[columns[starts[row] : starts[row + 1]]]
        if len(rated):
            matrix = all_pairs + rated.T @ rated
            matrix[diagonal] += config.regularization * (len(rated) + w0 * n_columns)
            rows[row] = np.linalg.solve(matrix, rated.sum(0))
    return rows
