"""Item-kNN: an item ranks high for users who have rated the items most similar to it."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from movielens_recsys.arrays import F32
from movielens_recsys.models.base import Arrays
from movielens_recsys.models.implicit.item_knn_config import ItemKNNConfig
from movielens_recsys.models.implicit.model import ImplicitModel, InteractionMatrix

ITEMS_AT_ONCE = 512


class ItemKNN(ImplicitModel):
    """score(u, j) = sum of s_ij over the items i of u's history that are among j's nearest neighbours.

    s_ij = n_ij / (sqrt(n_i n_j) + shrinkage), where n_i counts an item's positives and n_ij the users who
    have both (Sarwar et al., 2001, https://doi.org/10.1145/371920.372071, with the shrinkage of Ferrari
    Dacrema et al., 2021, https://doi.org/10.1145/3434185).
    """

    @classmethod
    def fit_arrays(cls, config: ItemKNNConfig, histories: InteractionMatrix, seed: int) -> Arrays:
        """Return, for each item, its nearest neighbours with a common user, and their similarities."""
        counts = np.bincount(histories.indices, minlength=histories.shape[1]).astype(np.float64)
        by_item, n_items = histories.T.tocsr(), histories.shape[1]
        k = min(config.neighbours, n_items)
        neighbours = np.empty((n_items, k), np.int32)
        similarity = np.empty((n_items, k), np.float32)
        for start in range(0, n_items, ITEMS_AT_ONCE):
            block = np.arange(start, min(start + ITEMS_AT_ONCE, n_items))
            common = (by_item[block] @ histories).toarray().astype(np.float64)
            norms = np.sqrt(counts[block, None] * counts) + config.shrinkage
            similar = np.divide(common, norms, out=np.zeros_like(common), where=norms > 0)
            similar[np.arange(len(block)), block] = 0  # an item is no neighbour of itself
            neighbours[block] = np.argpartition(similar, n_items - k, axis=1)[:, n_items - k :]
            similarity[block] = np.take_along_axis(similar, neighbours[block], axis=1)
        kept = similarity > 0
        return {
            "starts": np.append(0, np.cumsum(kept.sum(1))).astype(np.int64),
            "neighbours": neighbours[kept],
            "similarity": similarity[kept],
        }

    @property
    def similarity_meaning(self) -> str:
        """Similarities are those of the neighbourhoods."""
        return "share of users who have both items, shrunk (s_ij of item-kNN)"

    def item_similarities(self, item: int) -> F32:
        """Return s_ij of the item's nearest neighbours, 0 for all other items."""
        similarities = np.zeros(self.n_items, np.float32)
        row = slice(*self.learned["starts"][item : item + 2])
        similarities[self.learned["neighbours"][row]] = self.learned["similarity"][row]
        return similarities

    def score_histories(self, histories: InteractionMatrix) -> F32:
        """Return the sums of similarities to each history."""
        rows = (self.learned["similarity"], self.learned["neighbours"], self.learned["starts"])
        similarity = sparse.csr_array(rows, shape=(self.n_items, self.n_items))
        scores: F32 = (histories @ similarity.T).toarray().astype(np.float32)
        return scores
