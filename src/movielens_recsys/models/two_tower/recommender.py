"""The recommender around a `TwoTowerVAE`: encodings cached to predict, new users encoded in one pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from movielens_recsys.arrays import F32, F64, I64, FloatArray, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import Arrays, DataSpec, prefixed, strip_prefix
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.recommender import NeuralRecommender, restore_fallback
from movielens_recsys.models.two_tower.attention import TemporalNeighbors
from movielens_recsys.models.two_tower.bias_features import USER_SHRINKAGE, BiasStatistics
from movielens_recsys.models.two_tower.encoder import Encoded, TowerInput
from movielens_recsys.models.two_tower.encodings import EncodedEntities
from movielens_recsys.models.two_tower.interactions import TrainingInteractions
from movielens_recsys.models.two_tower.network import TwoTowerVAE
from movielens_recsys.models.two_tower.segments import SegmentIndex, SegmentSum
from movielens_recsys.models.two_tower.time_context import TimeContext


class TwoTowerRecommender(NeuralRecommender):
    """A `TwoTowerVAE`, the encodings of all users and items, and the fallback for those without ratings."""

    network: TwoTowerVAE

    @classmethod
    def initial_network(cls, config: HybridVAEConfig, train: Ratings, mean: float) -> TwoTowerVAE:
        """Return the untrained network for ``train``, whose mean rating is ``mean``, both in stars."""
        spec = DataSpec.of(train)
        interactions, time_lookup = TrainingInteractions.of(config, train, mean)
        # One more of each level: initial cutpoints of a level without ratings would coincide.
        levels = spec.levels
        counts = np.bincount(levels.level_of(train.ratings), minlength=levels.n_levels) + 1
        return TwoTowerVAE(
            config,
            n_users=spec.n_users,
            n_items=spec.n_items,
            levels=levels,
            level_shares=torch.as_tensor(counts / counts.sum(), dtype=torch.float32),
            time_lookup=time_lookup,
            n_attributes=interactions.attributes.shape[1],
            neighbors=TemporalNeighbors.of(train) if "attention" in config.variants else None,
            interactions=interactions,
        )

    def predict_at(self, users: IntArray, items: IntArray, timestamps: I64) -> F32:
        """Return predicted ratings, shape (n,), at ``timestamps`` in seconds since 1970 (UTC)."""
        return self._predict(users, items, timestamps)

    @property
    def similarity_meaning(self) -> str:
        """Similarities are cosines."""
        return "cosine of the items' encoded ratings (latent means)"

    def item_vectors(self) -> Tensor:
        """Return the means of the items' latents, shape (n_items, latent_dim)."""
        return self._cached_encodings().items.latent.mean

    @torch.inference_mode()
    def score(self, users: IntArray) -> F32:
        """Return E[rating] of the whole catalogue at an unknown timestamp; the fallback's where unseen."""
        scores = self.fallback.score(users)
        catalogue = np.flatnonzero(self.seen_items)
        encodings = self._cached_encodings()
        for row in np.flatnonzero(self._seen(self.seen_users, users)):
            scores[row, catalogue] = self._predict_items(encodings, int(users[row]), catalogue)
        return scores

    @torch.inference_mode()
    def fold_in(self, items: IntArray, ratings: FloatArray) -> F32:
        """Return E[rating] of every item for a new user, encoded in one pass of the last users' encoder.

        At an unknown timestamp. Items without a training rating in the history are ignored.
        """
        predicted = self.fallback.fold_in(items, ratings)
        catalogue = np.flatnonzero(self.seen_items)
        known = self._seen(self.seen_items, items)
        history = self._tensor(items[known]), np.asarray(ratings, np.float64)[known] / self.star
        encodings = self._encode_new_user(self._cached_encodings(), *history)
        predicted[catalogue] = self.domain.clip(self._predict_items(encodings, 0, catalogue))
        return predicted

    def _encode_new_user(self, encodings: EncodedEntities, items: Tensor, ratings: F64) -> EncodedEntities:
        """Return ``encodings`` with the new user, who gave ``ratings`` in stars, as the only user."""
        biases = encodings.biases
        # The same steps as in training, for one user: bias, residuals, then the encoder with the keys that
        # the last users' encoder read. A training user's history gives that user's encoding.
        deviations = torch.as_tensor(ratings - self.fallback.mean / self.star, device=self.device)
        residuals = deviations - biases.item_bias[items]
        bias = residuals.sum() / (len(items) + USER_SHRINKAGE)
        count = biases.user_count.new_tensor([len(items)])
        user = torch.zeros_like(items)
        history = SegmentSum.of(user, items, SegmentIndex.of(user, 1), SegmentIndex.of(items, self.n_items))
        tower = TowerInput(
            ratings=history,
            visible=torch.ones_like(residuals).float(),
            residuals=(residuals - bias).float(),
            counts=count,
        )
        # No id embedding was trained for a new user: the mean one takes its place.
        mean_id = [embeddings.mean(0, keepdim=True) for embeddings in self.network.id_rows[:1]]
        users: Encoded = self.network.user_encoders[-1](tower, encodings.keys, encodings.item_svd, mean_id)
        own_biases = BiasStatistics(
            user_bias=bias.float()[None],
            item_bias=biases.item_bias,
            user_count=count,
            item_count=biases.item_count,
        )
        return encodings._replace(users=users, biases=own_biases)

    def _predict_items(self, encodings: EncodedEntities, user: int, items: IntArray) -> F32:
        """Return E[rating] of ``items`` for one user of ``encodings``."""
        item_index = self._tensor(items)
        unknown = self.network.unknown_time_context(len(items), self.device)
        user_index = torch.full_like(item_index, user)
        ordinal = self.network.predict_ratings(encodings, user_index, item_index, unknown)
        predicted: F32 = ordinal.expected.float().cpu().numpy() * np.float32(self.star)
        return predicted

    @torch.inference_mode()
    def _cached_encodings(self) -> EncodedEntities:
        self.network.eval()
        if self.network.encodings is None:
            self.network.cache_encodings()
        assert self.network.encodings is not None
        return self.network.encodings

    def _predict(self, users: IntArray, items: IntArray, timestamps: I64 | None) -> F32:
        self._cached_encodings()
        return super()._predict(users, items, timestamps)

    def state(self) -> Arrays:
        """Return the weights, the encodings and the lookups of time contexts."""
        attention = self.network.attention
        neighbors = {} if attention is None else attention.neighbors.state()
        return {
            **super().state(),
            **prefixed("encoding.", self._cached_encodings().state()),
            # "moments." and "neighbourhood." are keys of older bundles.
            **prefixed("moments.", self.network.time_lookup.state()),
            **prefixed("neighbourhood.", neighbors),
        }

    @classmethod
    def from_state(
        cls, config: HybridVAEConfig, domain: DataSpec, state: Mapping[str, NDArray[np.generic]]
    ) -> Self:
        """Rebuild from the arrays of `state`, ready to predict."""
        weights = {
            name: torch.from_numpy(array.copy()) for name, array in strip_prefix("network.", state).items()
        }
        levels = domain.in_stars().levels
        time_lookup = TimeContext.from_state(strip_prefix("moments.", state))
        neighbors = strip_prefix("neighbourhood.", state)
        network = TwoTowerVAE(
            config,
            n_users=domain.n_users,
            n_items=domain.n_items,
            levels=levels,
            level_shares=torch.full((levels.n_levels,), 1 / levels.n_levels),
            time_lookup=time_lookup,
            n_attributes=weights["attributes.weight"].shape[1] if "attributes.weight" in weights else 0,
            neighbors=TemporalNeighbors.from_state(neighbors) if neighbors else None,
        )
        network.load_state_dict(weights)
        network.encodings = EncodedEntities.from_state(strip_prefix("encoding.", state), time_lookup.names)
        return cls(
            config,
            domain,
            network,
            restore_fallback(domain, state),
            state["seen_users"].astype(bool),
            state["seen_items"].astype(bool),
        )
