"""A network over (user, item) pairs, and the recommender around it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from movielens_recsys.arrays import FloatArray, IntArray
from movielens_recsys.models.base import Arrays, DataSpec, Model, strip_prefix
from movielens_recsys.models.baselines import UserItemBias
from movielens_recsys.models.config import AnyModelConfig, UserItemBiasConfig
from movielens_recsys.models.networks.layers import RatingOutput
from movielens_recsys.recommender import UNKNOWN

PAIRS_PER_BLOCK = 65_536
FOLD_IN_STEPS = 60
FOLD_IN_LEARNING_RATE = 0.05
FOLD_IN_PENALTY = 1.0


class RatingNetwork(nn.Module):
    """Rates pairs of users and items; what training and serving ask of every network.

    ``embedding_noise`` is the standard deviation of the normal noise that rows get in training (Bishop, 1995,
    https://doi.org/10.1162/neco.1995.7.1.108); training sets it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.embedding_noise = 0.0

    @abstractmethod
    def forward(self, users: Tensor, items: Tensor, moments: Tensor | None = None) -> RatingOutput:
        """Rate pairs of indices, both of shape (n,), in the time context that `time_context` gives."""

    def time_context(self, users: IntArray, items: IntArray, timestamps: NDArray[np.int64] | None) -> Tensor:
        """Return what the network must know of the time of each pair, shape (n, ...): nothing, (n, 0)."""
        return torch.zeros(len(users), 0, dtype=torch.int32)

    def mask_targets(self, rows: Tensor) -> None:
        """Keep these training rows, which are about to be predicted, out of what is encoded from ratings.

        ``rows`` counts in the order of the training ratings that the network was built for. A network that
        reads no ratings has nothing to leave out.
        """

    def cache_encodings(self) -> None:
        """Get ready to predict with the weights as they are now, from all training ratings."""

    def _noisy(self, rows: Tensor) -> Tensor:
        if self.training and self.embedding_noise:
            return rows + self.embedding_noise * torch.randn_like(rows)
        return rows


class EmbeddingNetwork(RatingNetwork):
    """Rates pairs from one row of numbers per user and one per item.

    Everything that a network knows of a user is in that row, so a new person can be folded in by
    finding a row for them while all else stays as it is.
    """

    def __init__(self, n_users: int, n_items: int, *, width: int) -> None:
        super().__init__()
        self.users = nn.Embedding(n_users, width)
        self.items = nn.Embedding(n_items, width)

    def forward(self, users: Tensor, items: Tensor, moments: Tensor | None = None) -> RatingOutput:
        """Rate pairs of indices, both of shape (n,), whenever it is."""
        return self.predict_ratings(self._noisy(self.users(users)), items)

    def item_rows(self, items: Tensor) -> Tensor:
        """Return the items' rows, shape (n, width)."""
        return self._noisy(self.items(items))

    @abstractmethod
    def predict_ratings(self, user_rows: Tensor, items: Tensor) -> RatingOutput:
        """Rate pairs of user rows, shape (n, width), and item indices, shape (n,)."""


class NeuralRecommender(Model):
    """A `RatingNetwork` with the fallback for users and items that it never saw in training.

    A pair whose user or item has no training rating is answered by `fallback`, the user+item bias
    model of the same training rows: the network has nothing to say of it.
    """

    network: RatingNetwork

    def __init__(
        self,
        config: AnyModelConfig,
        domain: DataSpec,
        network: RatingNetwork,
        fallback: UserItemBias,
        seen_users: NDArray[np.bool_],
        seen_items: NDArray[np.bool_],
    ) -> None:
        super().__init__(config, domain)
        self.network = network
        self.fallback = fallback
        self.seen_users = seen_users
        self.seen_items = seen_items

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    def predict(self, users: IntArray, items: IntArray) -> NDArray[np.float32]:
        """Return the network's ratings of seen pairs, the fallback's of others, inside the scale."""
        return self._predict(users, items, None)

    @torch.inference_mode()
    def _predict(
        self, users: IntArray, items: IntArray, timestamps: NDArray[np.int64] | None
    ) -> NDArray[np.float32]:
        ratings = self.fallback.predict(users, items)
        seen = self._seen(self.seen_users, users) & self._seen(self.seen_items, items)
        rows = np.flatnonzero(seen)
        self.network.eval()
        for block in _blocks(len(rows)):
            chosen = rows[block]
            times = None if timestamps is None else timestamps[chosen]
            moments = self.network.time_context(users[chosen], items[chosen], times).to(self.device)
            output = self.network(self._tensor(users[chosen]), self._tensor(items[chosen]), moments)
            ratings[chosen] = self.domain.clip(output.ratings.float().cpu().numpy())
        return ratings

    def _tensor(self, index: IntArray) -> Tensor:
        return torch.as_tensor(np.asarray(index, np.int64), device=self.device)

    @staticmethod
    def _seen(seen: NDArray[np.bool_], index: IntArray) -> NDArray[np.bool_]:
        known: NDArray[np.bool_] = (index != UNKNOWN) & seen[index]
        return known

    def state(self) -> Arrays:
        """Return the network's weights, the fallback's biases and who was seen."""
        network = {
            f"network.{name}": tensor.cpu().numpy() for name, tensor in self.network.state_dict().items()
        }
        fallback = {f"fallback.{name}": array for name, array in self.fallback.state().items()}
        return {**network, **fallback, "seen_users": self.seen_users, "seen_items": self.seen_items}


class EmbeddingRecommender(NeuralRecommender):
    """An `EmbeddingNetwork` with its fallback."""

    network: EmbeddingNetwork

    @torch.inference_mode()
    def score(self, users: IntArray) -> NDArray[np.float32]:
        """Return the network's unclipped ratings of the whole catalogue; the fallback's where unseen."""
        scores = self.fallback.score(users)
        catalogue = np.flatnonzero(self.seen_items)
        items = self._tensor(catalogue)
        self.network.eval()
        for row in np.flatnonzero(self._seen(self.seen_users, users)):
            user_row = self.network.users.weight[int(users[row])]
            scores[row, catalogue] = self._rate_items(user_row, items)
        return scores

    def fold_in(self, items: IntArray, ratings: FloatArray) -> NDArray[np.float32]:
        """Find a row for the new person by gradient descent, the network frozen, then rate everything.

        The row starts at the mean of all trained users' rows and is pulled back to it by a ridge
        penalty, so that a short history moves it little. Deterministic.
        """
        answer = self.fallback.fold_in(items, ratings)
        known = self._seen(self.seen_items, items)
        self.network.eval()
        mean_row = self.network.users.weight[self._tensor(np.flatnonzero(self.seen_users))].mean(0).detach()
        row = self._fit_row(mean_row, items[known], ratings[known]) if known.any() else mean_row
        catalogue = np.flatnonzero(self.seen_items)
        with torch.inference_mode():
            answer[catalogue] = self.domain.clip(self._rate_items(row, self._tensor(catalogue)))
        return answer

    def _fit_row(self, mean_row: Tensor, items: IntArray, ratings: FloatArray) -> Tensor:
        row = mean_row.clone().requires_grad_(True)
        targets = torch.as_tensor(np.asarray(ratings, np.float32), device=self.device)
        indices = self._tensor(items)
        optimizer = torch.optim.Adam([row], lr=FOLD_IN_LEARNING_RATE)
        with torch.enable_grad():
            for _ in range(FOLD_IN_STEPS):
                predicted = self.network.predict_ratings(row.expand(len(indices), -1), indices).ratings
                loss = (predicted - targets).square().sum() + FOLD_IN_PENALTY * (
                    row - mean_row
                ).square().sum()
                (row.grad,) = torch.autograd.grad(loss, [row])
                optimizer.step()
        return row.detach()

    def _rate_items(self, user_row: Tensor, items: Tensor) -> NDArray[np.float32]:
        ratings = [
            self.network.predict_ratings(user_row.expand(len(block), -1), block).ratings
            for block in torch.split(items, PAIRS_PER_BLOCK)
        ]
        return torch.cat(ratings).float().cpu().numpy()

    @classmethod
    def from_state(
        cls,
        config: AnyModelConfig,
        domain: DataSpec,
        state: Mapping[str, NDArray[np.generic]],
        build_network: Callable[[AnyModelConfig, DataSpec, UserItemBias], EmbeddingNetwork],
    ) -> Self:
        """Rebuild fallback and network from their arrays; ``build_network`` makes the empty network."""
        fallback = restore_fallback(domain, state)
        network = build_network(config, domain, fallback)
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
