"""NeuMF for ratings: a product of embeddings beside a perceptron over others (He et al., 2017)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from movielens_recsys.models.config import NeuMFConfig
from movielens_recsys.models.networks.layers import RatingOutput, initialize, mlp
from movielens_recsys.models.networks.recommender import EmbeddingNetwork


class NeuMF(EmbeddingNetwork):
    """rating = mean + w . [p_u * q_i ; MLP(p'_u, q'_i)].

    Both halves have embeddings of their own, stored side by side in one row of ``2 x n_factors``.
    Trained here on the squared error of ratings instead of the paper's implicit cross-entropy.
    """

    def __init__(self, config: NeuMFConfig, n_users: int, n_items: int, mean: float) -> None:
        super().__init__(n_users, n_items, width=2 * config.n_factors)
        self.hidden = mlp(
            (2 * config.n_factors, *config.hidden_dims), normalization="none", dropout=config.dropout
        )
        self.output = nn.Linear(config.n_factors + config.hidden_dims[-1], 1)
        initialize(self, embedding_std=0.05)
        self.mean = nn.Parameter(torch.tensor(mean))

    def predict_ratings(self, user_rows: Tensor, items: Tensor) -> RatingOutput:
        """Rate pairs of user rows, shape (n, 2 x n_factors), and items, shape (n,)."""
        user_product, user_hidden = user_rows.chunk(2, dim=1)
        item_product, item_hidden = self.item_rows(items).chunk(2, dim=1)
        hidden = self.hidden(torch.cat([user_hidden, item_hidden], dim=1))
        ratings = self.output(torch.cat([user_product * item_product, hidden], dim=1)).squeeze(1)
        return RatingOutput(
            self.mean + ratings, kl=ratings.new_zeros(0), latent=ratings.new_zeros(len(ratings), 0)
        )
