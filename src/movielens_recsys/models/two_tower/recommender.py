"""The recommender around a `TwoTowerVAE`: everybody encoded once, newcomers in one pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from movielens_recsys.arrays import FloatArray, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import Arrays, DataSpec, strip_prefix
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.recommender import NeuralRecommender, restore_fallback
from movielens_recsys.models.two_tower.attention import TemporalNeighbors
from movielens_recsys.models.two_tower.bias_features import USER_SHRINKAGE, BiasStatistics
from movielens_recsys.models.two_tower.encoder import Encoded, TowerEncoder, TowerInput
from movielens_recsys.models.two_tower.encodings import EncodedEntities
from movielens_recsys.models.two_tower.interactions import TrainingInteractions
from movielens_recsys.models.two_tower.network import TwoTowerVAE
from movielens_recsys.models.two_tower.segments import SegmentIndex, SegmentSum
from movielens_recsys.models.two_tower.time_context import TimeContext


class TwoTowerRecommender(NeuralRecommender):
    """A `TwoTowerVAE`, everybody's encoding, and the fallback for who has no training rating."""

    network: TwoTowerVAE

    @classmethod
    def initial_network(cls, config: HybridVAEConfig, train: Ratings, mean: float) -> TwoTowerVAE:
        """Return the untrained network for ``train``, whose mean rating is ``mean``."""
        domain = DataSpec.of(train)
        history, moments = TrainingInteractions.of(config, train, mean)
        levels = np.rint((train.ratings - domain.scale.minimum) / domain.scale.step).astype(np.int64)
        counts = np.bincount(levels, minlength=len(domain.scale.levels)) + 1
        shares = torch.as_tensor(counts / counts.sum(), dtype=torch.float32)
        neighbourhood = TemporalNeighbors.of(train) if "attention" in config.variants else None
        n_attributes = history.attributes.shape[1]
        return _network(config, domain, shares, moments, n_attributes, neighbourhood, history)

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

    def _encode(
        self, encoding: EncodedEntities, items: Tensor, ratings: NDArray[np.float64]
    ) -> EncodedEntities:
        """Return ``encoding`` with the new person as its only user."""
        averages = encoding.averages
        left = torch.as_tensor(ratings - self.fallback.mean, device=self.device) - averages.item_bias[items]
        bias = left.sum() / (len(items) + USER_SHRINKAGE)
        count = averages.user_count.new_tensor([len(items)])
        everything = torch.zeros_like(items)
        bags = SegmentSum.of(
            everything, items, SegmentIndex.of(everything, 1), SegmentIndex.of(items, self.n_items)
        )
        evidence = TowerInput(bags, torch.ones_like(left).float(), (left - bias).float(), count)
        encoder = self.network.user_encoders[-1]
        assert isinstance(encoder, TowerEncoder)
        mean_id = [rows.mean(0, keepdim=True) for rows in self.network.id_rows[:1]]
        users: Encoded = encoder(evidence, encoding.keys, encoding.start, mean_id)
        own = BiasStatistics(bias.float()[None], averages.item_bias, count, averages.item_count)
        return encoding._replace(users=users, averages=own)

    def _rate(self, encoding: EncodedEntities, user: int, items: IntArray) -> NDArray[np.float32]:
        """Return E[rating] of ``items`` for one row of the encoding's users."""
        columns = self._tensor(items)
        nothing = self.network.no_moments(len(items), self.device)
        ordinal = self.network.predict_ratings(encoding, torch.full_like(columns, user), columns, nothing)
        return ordinal.expected.float().cpu().numpy()

    @torch.inference_mode()
    def _settled(self) -> EncodedEntities:
        self.network.eval()
        if self.network.encoding is None:
            self.network.cache_encodings()
        assert self.network.encoding is not None
        return self.network.encoding

    def _predict(
        self, users: IntArray, items: IntArray, timestamps: NDArray[np.int64] | None
    ) -> NDArray[np.float32]:
        self._settled()
        return super()._predict(users, items, timestamps)

    def state(self) -> Arrays:
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
        cls, config: HybridVAEConfig, domain: DataSpec, state: Mapping[str, NDArray[np.generic]]
    ) -> Self:
        """Rebuild from the arrays of `state`, ready to predict."""
        weights = {
            name: torch.from_numpy(array.copy()) for name, array in strip_prefix("network.", state).items()
        }
        n_attributes = weights["attributes.weight"].shape[1] if "attributes.weight" in weights else 0
        levels = len(domain.scale.levels)
        moments = TimeContext.from_state(strip_prefix("moments.", state))
        around = strip_prefix("neighbourhood.", state)
        neighbourhood = TemporalNeighbors.from_state(around) if around else None
        shares = torch.full((levels,), 1 / levels)
        network = _network(config, domain, shares, moments, n_attributes, neighbourhood, None)
        network.load_state_dict(weights)
        network.encoding = EncodedEntities.from_state(strip_prefix("encoding.", state), moments.names)
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
    domain: DataSpec,
    shares: Tensor,
    moments: TimeContext,
    n_attributes: int,
    neighbourhood: TemporalNeighbors | None,
    history: TrainingInteractions | None,
) -> TwoTowerVAE:
    size, scale = (domain.n_users, domain.n_items), (domain.scale.minimum, domain.scale.step)
    return TwoTowerVAE(config, size, scale, shares, moments, n_attributes, neighbourhood, history)
