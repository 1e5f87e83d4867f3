"""The recommender around a `TwoSidedVAE`: everybody encoded once, newcomers in one pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import Domain, State, under
from movielens_recsys.models.baselines import UserItemBias
from movielens_recsys.models.config import AnyFittedConfig, HybridVAEConfig
from movielens_recsys.models.neural import NeuralRecommender, restore_fallback
from movielens_recsys.models.two_sided.attention import Neighbourhood
from movielens_recsys.models.two_sided.bags import Bags, Grouping
from movielens_recsys.models.two_sided.encoder import Encoded, Evidence, SideEncoder
from movielens_recsys.models.two_sided.encoding import Encoding
from movielens_recsys.models.two_sided.history import History
from movielens_recsys.models.two_sided.moments import Moments
from movielens_recsys.models.two_sided.network import TwoSidedVAE
from movielens_recsys.models.two_sided.summary import USER_SHRINKAGE, Averages
from movielens_recsys.recommender import FloatArray, IntArray


class TwoSidedRecommender(NeuralRecommender):
    """A `TwoSidedVAE`, everybody's encoding, and the fallback for who has no training rating."""

    network: TwoSidedVAE

    @classmethod
    def untrained(
        cls,
        config: HybridVAEConfig,
        train: Ratings,
        fallback: UserItemBias,
        seen: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    ) -> Self:
        """Make the network for ``train``, drawing from torch's global stream."""
        domain = Domain.of(train)
        history, moments = History.of(config, train, fallback.mean)
        levels = np.rint((train.ratings - domain.scale.minimum) / domain.scale.step).astype(np.int64)
        counts = np.bincount(levels, minlength=len(domain.scale.levels)) + 1
        shares = torch.as_tensor(counts / counts.sum(), dtype=torch.float32)
        neighbourhood = Neighbourhood.of(train) if "attention" in config.variants else None
        network = _network(
            config, domain, shares, moments, history.attributes.shape[1], neighbourhood, history
        )
        return cls(config, domain, network, fallback, *seen)

    def predict_at(
        self, users: IntArray, items: IntArray, timestamps: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Return predicted ratings, shape (n,), at ``timestamps`` in seconds since 1970 (UTC)."""
        return self._predict(users, items, timestamps)

    @torch.inference_mode()
    def score(self, users: IntArray) -> NDArray[np.float32]:
        """Return E[rating] of the whole catalogue, whenever it is; the fallback's where unseen."""
        scores = self.fallback.score(users)
        catalogue = np.flatnonzero(self.seen_items)
        encoding = self._settled()
        for row in np.flatnonzero(self._seen(self.seen_users, users)):
            scores[row, catalogue] = self._rate(encoding, int(users[row]), catalogue)
        return scores

    @torch.inference_mode()
    def fold_in(self, items: IntArray, ratings: FloatArray) -> NDArray[np.float32]:
        """Encode the new person from their ratings, in one pass of the users' encoder, and rate everything.

        Nothing is known of when they rated or will rate. Items without a training rating count for nothing.
        """
        answer = self.fallback.fold_in(items, ratings)
        catalogue = np.flatnonzero(self.seen_items)
        known = self._seen(self.seen_items, items)
        encoding = self._settled()
        newcomer = self._encode(encoding, self._tensor(items[known]), np.asarray(ratings, np.float64)[known])
        answer[catalogue] = self.domain.clip(self._rate(newcomer, 0, catalogue))
        return answer

    def _encode(self, encoding: Encoding, items: Tensor, ratings: NDArray[np.float64]) -> Encoding:
        """Return ``encoding`` with the new person as its only user."""
        averages = encoding.averages
        left = torch.as_tensor(ratings - self.fallback.mean, device=self.device) - averages.item_bias[items]
        bias = left.sum() / (len(items) + USER_SHRINKAGE)
        count = averages.user_count.new_tensor([len(items)])
        everything = torch.zeros_like(items)
        bags = Bags.of(everything, items, Grouping.of(everything, 1), Grouping.of(items, self.n_items))
        evidence = Evidence(bags, torch.ones_like(left).float(), (left - bias).float(), count)
        encoder = self.network.user_encoders[-1]
        assert isinstance(encoder, SideEncoder)
        mean_id = [rows.mean(0, keepdim=True) for rows in self.network.id_rows[:1]]
        users: Encoded = encoder(evidence, encoding.keys, encoding.start, mean_id)
        own = Averages(bias.float()[None], averages.item_bias, count, averages.item_count)
        return encoding._replace(users=users, averages=own)

    def _rate(self, encoding: Encoding, user: int, items: IntArray) -> NDArray[np.float32]:
        """Return E[rating] of ``items`` for one row of the encoding's users."""
        columns = self._tensor(items)
        nothing = self.network.no_moments(len(items), self.device)
        ordinal = self.network.rate(encoding, torch.full_like(columns, user), columns, nothing)
        return ordinal.expected.float().cpu().numpy()

    @torch.inference_mode()
    def _settled(self) -> Encoding:
        self.network.eval()
        if self.network.encoding is None:
            self.network.settle()
        assert self.network.encoding is not None
        return self.network.encoding

    def _predict(
        self, users: IntArray, items: IntArray, timestamps: NDArray[np.int64] | None
    ) -> NDArray[np.float32]:
        self._settled()
        return super()._predict(users, items, timestamps)

    def state(self) -> State:
        """Return the weights, everybody's encoding, and what finds a moment's groups; no rating."""
        encoding = {f"encoding.{name}": array for name, array in self._settled().state().items()}
        moments = {f"moments.{name}": array for name, array in self.network.clock.state().items()}
        attention, around = self.network.attention, {}
        if attention is not None:
            around = {
                f"neighbourhood.{name}": array for name, array in attention.neighbourhood.state().items()
            }
        return {**super().state(), **encoding, **moments, **around}

    @classmethod
    def from_state(
        cls, config: AnyFittedConfig, domain: Domain, state: Mapping[str, NDArray[np.generic]]
    ) -> Self:
        """Rebuild from the arrays of `state`, ready to predict."""
        assert isinstance(config, HybridVAEConfig)
        weights = {name: torch.from_numpy(array.copy()) for name, array in under("network.", state).items()}
        n_attributes = weights["attributes.weight"].shape[1] if "attributes.weight" in weights else 0
        levels = len(domain.scale.levels)
        moments = Moments.from_state(under("moments.", state))
        around = under("neighbourhood.", state)
        neighbourhood = Neighbourhood.from_state(around) if around else None
        shares = torch.full((levels,), 1 / levels)
        network = _network(config, domain, shares, moments, n_attributes, neighbourhood, None)
        network.load_state_dict(weights)
        network.encoding = Encoding.from_state(under("encoding.", state), moments.names)
        return cls(
            config,
            domain,
            network,
            restore_fallback(domain, state),
            state["seen_users"].astype(bool),
            state["seen_items"].astype(bool),
        )


def _network(
    config: HybridVAEConfig,
    domain: Domain,
    shares: Tensor,
    moments: Moments,
    n_attributes: int,
    neighbourhood: Neighbourhood | None,
    history: History | None,
) -> TwoSidedVAE:
    size, scale = (domain.n_users, domain.n_items), (domain.scale.minimum, domain.scale.step)
    return TwoSidedVAE(config, size, scale, shares, moments, n_attributes, neighbourhood, history)
