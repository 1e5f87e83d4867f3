"""Networks that predict ratings of (user, item) pairs."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

from movielens_recsys.arrays import I64, IntArray
from movielens_recsys.models.networks.layers import RatingOutput


class RatingNetwork(nn.Module):
    """Predicts ratings of pairs of users and items: the interface that training and prediction need.

    Attributes
    ----------
    embedding_noise
        Standard deviation of the normal noise added to embeddings in training (Bishop, 1995,
        https://doi.org/10.1162/neco.1995.7.1.108); training sets it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.embedding_noise = 0.0

    @abstractmethod
    def forward(self, users: Tensor, items: Tensor, time_context: Tensor | None = None) -> RatingOutput:
        """Predict ratings of pairs of indices, both of shape (n,), given their `time_context`."""

    def time_context(self, users: IntArray, items: IntArray, timestamps: I64 | None) -> Tensor:
        """Return the time features of each pair, shape (n, ...); (n, 0) for a network that ignores time."""
        return torch.zeros(len(users), 0, dtype=torch.int32)

    def mask_targets(self, rows: Tensor) -> None:
        """Hide these training rows, the targets of the next batch, from encoders of ratings.

        ``rows`` are positions in the training ratings that the network was built for. Without this, an
        encoder would see the very ratings that it is to predict. A network that encodes no ratings ignores
        it.
        """

    def cache_encodings(self) -> None:
        """Encode all training ratings with the present weights, ready to predict."""

    def add_noise(self, embeddings: Tensor) -> Tensor:
        """Return ``embeddings`` with `embedding_noise` in training, unchanged otherwise."""
        if self.training and self.embedding_noise:
            return embeddings + self.embedding_noise * torch.randn_like(embeddings)
        return embeddings


class EmbeddingNetwork(RatingNetwork):
    """Predicts ratings from one embedding per user and one per item.

    All that the network knows of a user is in the embedding, so a new user is folded in by fitting an
    embedding while all else stays as it is.
    """

    def __init__(self, n_users: int, n_items: int, *, width: int) -> None:
        super().__init__()
        self.users = nn.Embedding(n_users, width)
        self.items = nn.Embedding(n_items, width)

    def forward(self, users: Tensor, items: Tensor, time_context: Tensor | None = None) -> RatingOutput:
        """Predict ratings of pairs of indices, both of shape (n,), whatever the time."""
        return self.predict_ratings(self.add_noise(self.users(users)), items)

    def item_embeddings(self, items: Tensor) -> Tensor:
        """Return the items' embeddings, shape (n, width)."""
        return self.add_noise(self.items(items))

    def item_factors(self) -> Tensor:
        """Return the part of the items' embeddings that interacts with users, shape (n_items, n_factors)."""
        return self.items.weight

    @abstractmethod
    def predict_ratings(self, user_embeddings: Tensor, items: Tensor) -> RatingOutput:
        """Predict ratings for pairs of user embeddings, shape (n, width), and item indices, shape (n,)."""
