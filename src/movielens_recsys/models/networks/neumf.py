"""NeuMF for ratings: a product of embeddings beside a multilayer perceptron over others (He et al., 2017)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from movielens_recsys.models.base import DataSpec
from movielens_recsys.models.networks.layers import RatingOutput, initialize, mlp
from movielens_recsys.models.networks.network import EmbeddingNetwork
from movielens_recsys.models.networks.neumf_config import NeuMFConfig
from movielens_recsys.models.networks.recommender import EmbeddingRecommender


class NeuMF(EmbeddingNetwork):
    """rating = mean + w . [p_u * q_i ; MLP(p'_u, q'_i)].

    Product and perceptron have separate embeddings, stored side by side in one of width ``2 x n_factors``.
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

    def predict_ratings(self, user_embeddings: Tensor, items: Tensor) -> RatingOutput:
        """Predict ratings for pairs of user embeddings, shape (n, 2 x n_factors), and items, shape (n,)."""
        user_product, user_hidden = user_embeddings.chunk(2, dim=1)
        item_product, item_hidden = self.item_embeddings(items).chunk(2, dim=1)
        hidden = self.hidden(torch.cat([user_hidden, item_hidden], dim=1))
        ratings = self.output(torch.cat([user_product * item_product, hidden], dim=1)).squeeze(1)
        return RatingOutput(
            self.mean + ratings, kl=ratings.new_zeros(0), latent=ratings.new_zeros(len(ratings), 0)
        )


class NeuMFRecommender(EmbeddingRecommender):
    """`NeuMF` and its fallback."""

    @classmethod
    def build_network(cls, config: NeuMFConfig, domain: DataSpec, mean: float) -> NeuMF:
        """Return the untrained network; ``mean`` is the mean training rating."""
        return NeuMF(config, domain.n_users, domain.n_items, mean)
