"""The hybrid VAE of either encoder: over pairs of embeddings, or two-tower."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import DataSpec, Model
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.pair_vae import PairVAERecommender
from movielens_recsys.models.networks.recommender import NeuralRecommender
from movielens_recsys.models.two_tower.recommender import TwoTowerRecommender


class HybridVAE(Model):
    """Makes the recommender of a configuration's encoder; never an object itself."""

    @classmethod
    def fit(cls, config: HybridVAEConfig, train: Ratings, seed: int = 0) -> NeuralRecommender:
        """Fit the fallback and initialise the network's weights; `training.fit` trains them."""
        return _recommender_class(config).fit(config, train, seed)

    @classmethod
    def from_state(
        cls, config: HybridVAEConfig, domain: DataSpec, state: Mapping[str, NDArray[np.generic]]
    ) -> NeuralRecommender:
        """Rebuild the recommender from its state."""
        return _recommender_class(config).from_state(config, domain, state)


def _recommender_class(config: HybridVAEConfig) -> type[PairVAERecommender] | type[TwoTowerRecommender]:
    return TwoTowerRecommender if config.is_two_tower else PairVAERecommender
