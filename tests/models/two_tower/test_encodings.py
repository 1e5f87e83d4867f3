"""Encodings to arrays and back."""

from __future__ import annotations

import numpy as np

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.two_tower.encodings import EncodedEntities
from movielens_recsys.models.two_tower.recommender import TwoTowerRecommender


def test_encodings_are_restored_from_their_arrays(train: Ratings, config: HybridVAEConfig) -> None:
    network = TwoTowerRecommender.fit(config, train, 0).network.eval()
    encodings = network.encode()
    state = encodings.state()
    assert ("extras.left" in state) == (encodings.residuals is not None) == bool(config.variants)
    restored = EncodedEntities.from_state(state, network.time_lookup.names)
    assert list(restored.group_biases) == list(encodings.group_biases)
    for name, array in restored.state().items():
        np.testing.assert_array_equal(array, state[name], err_msg=name)
