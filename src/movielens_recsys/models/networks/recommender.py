"""The recommender around a network over (user, item) pairs, with a fallback for those it never saw."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from movielens_recsys.arrays import F32, I64, FloatArray, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import Arrays, DataSpec, Model, prefixed, strip_prefix
from movielens_recsys.models.baselines import UserItemBias
from movielens_recsys.models.baselines_config import UserItemBiasConfig
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.networks.network import EmbeddingNetwork, RatingNetwork
from movielens_recsys.models.scores import cosine_similarities
from movielens_recsys.recommender import UNKNOWN
from movielens_recsys.seeds import derive_seed

PAIRS_PER_BLOCK = 65_536
FOLD_IN_STEPS = 60
FOLD_IN_LEARNING_RATE = 0.05
FOLD_IN_PENALTY = 1.0


class NeuralRecommender(Model):
    """A `RatingNetwork` with the fallback for users and items that it never saw in training.

    A pair whose user or item has no training rating gets the prediction of `fallback`, the user+item bias
    model of the same training rows: its embedding was never trained. The network works in stars
    (`Scale.star`), everything outside it in ratings.
    """

    network: RatingNetwork

    def __init__(
        self,
        config: ModelConfig,
        domain: DataSpec,
        network: RatingNetwork,
        fallback: UserItemBias,
        seen_users: NDArray[np.bool_],
        seen_items: NDArray[np.bool_],
    ) -> None:
        super().__init__(config, domain)
        self.star = domain.scale.star
        self.network = network
        self.fallback = fallback
        self.seen_users = seen_users
        self.seen_items = seen_items

    @classmethod
    def fit(cls, config: Any, train: Ratings, seed: int = 0) -> Self:
        """Fit the fallback and initialise the network's weights; `training.fit` trains them."""
        fallback = UserItemBias.fit(UserItemBiasConfig(), train)
        seen_users = np.bincount(train.users, minlength=train.n_users) > 0
        seen_items = np.bincount(train.items, minlength=train.n_items) > 0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(seed, "weights"))
            network = cls.initial_network(config, train.in_stars(), fallback.mean / train.scale.star)
        return cls(config, DataSpec.of(train), network, fallback, seen_users, seen_items)

    @classmethod
    @abstractmethod
    def initial_network(cls, config: Any, train: Ratings, mean: float) -> RatingNetwork:
        """Return the untrained network for ``train``, whose mean rating is ``mean``, both in stars."""

    @property
    def n_parameters(self) -> int:
        """Number of parameters of the network."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    @property
    def known_users(self) -> NDArray[np.bool_]:
        """Users with a training rating."""
        return self.seen_users

    @property
    def known_items(self) -> NDArray[np.bool_]:
        """Items with a training rating."""
        return self.seen_items

    @abstractmethod
    def item_vectors(self) -> Tensor:
        """Return what the network has learned of each item, shape (n_items, width)."""

    def item_similarities(self, item: int) -> F32:
        """Return the cosines of `item_vectors`; 0 for an item without a training rating."""
        vectors = self.item_vectors().detach().float().cpu().numpy()
        return cosine_similarities(vectors * self.seen_items[:, None], item)

    @property
    def device(self) -> torch.device:
        """The device that the network is on."""
        return next(self.network.parameters()).device

    def predict(self, users: IntArray, items: IntArray) -> F32:
        """Return the network's predictions for seen pairs, the fallback's for others, inside the scale."""
        return self._predict(users, items, None)

    @torch.inference_mode()
    def _predict(self, users: IntArray, items: IntArray, timestamps: I64 | None) -> F32:
        ratings = self.fallback.predict(users, items)
        seen = self._seen(self.seen_users, users) & self._seen(self.seen_items, items)
        rows = np.flatnonzero(seen)
        self.network.eval()
        for block in _blocks(len(rows)):  # bounded, as activations of all pairs may not fit in memory
            pairs = rows[block]
            times = None if timestamps is None else timestamps[pairs]
            time_context = self.network.time_context(users[pairs], items[pairs], times).to(self.device)
            output = self.network(self._tensor(users[pairs]), self._tensor(items[pairs]), time_context)
            ratings[pairs] = self.domain.clip(output.ratings.float().cpu().numpy() * self.star)
        return ratings

    def _tensor(self, index: IntArray) -> Tensor:
        return torch.as_tensor(np.asarray(index, np.int64), device=self.device)

    @staticmethod
    def _seen(seen: NDArray[np.bool_], index: IntArray) -> NDArray[np.bool_]:
        known: NDArray[np.bool_] = (index != UNKNOWN) & seen[index]
        return known

    def state(self) -> Arrays:
        """Return the network's weights, the fallback's biases and which users and items were seen."""
        weights = {name: tensor.cpu().numpy() for name, tensor in self.network.state_dict().items()}
        fallback = prefixed("fallback.", self.fallback.state())
        return {
            **prefixed("network.", weights),
            **fallback,
            "seen_users": self.seen_users,
            "seen_items": self.seen_items,
        }


class EmbeddingRecommender(NeuralRecommender):
    """An `EmbeddingNetwork` and its fallback."""

    network: EmbeddingNetwork

    @classmethod
    @abstractmethod
    def build_network(cls, config: Any, domain: DataSpec, mean: float) -> EmbeddingNetwork:
        """Return the untrained network; ``mean`` is the mean training rating, and the scale is in stars."""

    @classmethod
    def initial_network(cls, config: Any, train: Ratings, mean: float) -> EmbeddingNetwork:
        """Return the untrained network for ``train``, whose mean rating is ``mean``, both in stars."""
        return cls.build_network(config, DataSpec.of(train), mean)

    @property
    def similarity_meaning(self) -> str:
        """Similarities are cosines."""
        return "cosine of the items' embeddings"

    def item_vectors(self) -> Tensor:
        """Return the items' embeddings."""
        return self.network.item_factors()

    @torch.inference_mode()
    def score(self, users: IntArray) -> F32:
        """Return the network's unclipped predictions for the whole catalogue; the fallback's where unseen."""
        scores = self.fallback.score(users)
        catalogue = np.flatnonzero(self.seen_items)
        items = self._tensor(catalogue)
        self.network.eval()
        for row in np.flatnonzero(self._seen(self.seen_users, users)):
            embedding = self.network.users.weight[int(users[row])]
            scores[row, catalogue] = self._predict_items(embedding, items)
        return scores

    def fold_in(self, items: IntArray, ratings: FloatArray) -> F32:
        """Fit an embedding of the new user by gradient descent, the network frozen, then predict all ratings.

        It starts at the mean of all trained users' embeddings and is shrunk towards it by a ridge penalty, so
        that a short history moves it little. Deterministic.
        """
        predicted = self.fallback.fold_in(items, ratings)
        known = self._seen(self.seen_items, items)
        self.network.eval()
        trained = self._tensor(np.flatnonzero(self.seen_users))
        mean = self.network.users.weight[trained].mean(0).detach()
        embedding = self._fit_embedding(mean, items[known], ratings[known]) if known.any() else mean
        catalogue = np.flatnonzero(self.seen_items)
        with torch.inference_mode():
            predicted[catalogue] = self.domain.clip(self._predict_items(embedding, self._tensor(catalogue)))
        return predicted

    def _fit_embedding(self, mean: Tensor, items: IntArray, ratings: FloatArray) -> Tensor:
        embedding = mean.clone().requires_grad_(True)
        targets = torch.as_tensor(np.asarray(ratings, np.float32), device=self.device) / self.star
        indices = self._tensor(items)
        optimizer = torch.optim.Adam([embedding], lr=FOLD_IN_LEARNING_RATE)
        with torch.enable_grad():
            for _ in range(FOLD_IN_STEPS):
                rows = embedding.expand(len(indices), -1)
                errors = self.network.predict_ratings(rows, indices).ratings - targets
                penalty = FOLD_IN_PENALTY * (embedding - mean).square().sum()
                # Not backward(): it would add to the gradients of the network's own weights.
                (embedding.grad,) = torch.autograd.grad(errors.square().sum() + penalty, [embedding])
                optimizer.step()
        return embedding.detach()

    def _predict_items(self, embedding: Tensor, items: Tensor) -> F32:
        ratings = [
            self.network.predict_ratings(embedding.expand(len(block), -1), block).ratings
            for block in torch.split(items, PAIRS_PER_BLOCK)
        ]
        predicted: F32 = torch.cat(ratings).float().cpu().numpy() * np.float32(self.star)
        return predicted

    @classmethod
    def from_state(cls, config: Any, domain: DataSpec, state: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild fallback and network from their arrays."""
        fallback = restore_fallback(domain, state)
        network = cls.build_network(config, domain.in_stars(), fallback.mean / domain.scale.star)
        weights = {
            name: torch.from_numpy(array.copy()) for name, array in strip_prefix("network.", state).items()
        }
        network.load_state_dict(weights)
        seen_users, seen_items = state["seen_users"].astype(bool), state["seen_items"].astype(bool)
        return cls(config, domain, network, fallback, seen_users, seen_items)


def restore_fallback(domain: DataSpec, state: Mapping[str, NDArray[np.generic]]) -> UserItemBias:
    """Rebuild the fallback of a `NeuralRecommender` from its state."""
    return UserItemBias.from_state(UserItemBiasConfig(), domain, strip_prefix("fallback.", state))


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, start + PAIRS_PER_BLOCK) for start in range(0, n, PAIRS_PER_BLOCK))
