"""The two-tower network: masked ratings change no encoding, visible ones do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.splits.split import Split
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.two_tower.network import TwoTowerVAE
from movielens_recsys.models.two_tower.recommender import TwoTowerRecommender


def untrained(config: HybridVAEConfig, train: Ratings) -> TwoTowerVAE:
    return TwoTowerRecommender.fit(config, train, 0).network.eval()


@pytest.mark.parametrize("rows", [[0], [5, 900, 17]])
def test_masked_ratings_change_no_encoding(split: Split, rows: list[int], config: HybridVAEConfig) -> None:
    train = split.part("train")
    assert train.timestamps is not None
    sorted_by_user = np.lexsort((train.timestamps, train.users))
    changed = train.ratings.copy()
    changed[rows] = 6 - changed[rows]
    encodings = []
    for ratings in (train, replace(train, ratings=changed)):
        network = untrained(config, ratings)
        # SVD and mean are of all training ratings, and made the same in both.
        assert network.interactions is not None
        deviations = torch.as_tensor(
            ratings.ratings.astype(np.float64) - train.ratings.mean(dtype=np.float64)
        )
        network.interactions = replace(network.interactions, deviations=deviations[sorted_by_user])
        network.mask_targets(torch.tensor(rows))
        encodings.append(network.encode().state())
    for name, array in encodings[0].items():
        np.testing.assert_array_equal(array, encodings[1][name], err_msg=name)


def test_visible_ratings_are_encoded(split: Split, small: HybridVAEConfig) -> None:
    network = untrained(small, split.part("train"))
    network.cache_encodings()
    assert network.encodings is not None
    from_all = network.encodings.users.latent.mean
    network.mask_targets(torch.tensor([0]))
    without_one = network.encode().users.latent.mean
    assert (from_all != without_one).any()


def test_unknown_timestamps_have_the_context_that_none_at_all_have(
    train: Ratings, config: HybridVAEConfig
) -> None:
    network = untrained(config, train)
    pairs = np.arange(3), np.arange(3)
    unknown = network.unknown_time_context(3, torch.device("cpu"))
    torch.testing.assert_close(network.time_context(*pairs, None).long(), unknown)
    assert (network.time_context(*pairs, np.full(3, train.timestamps.max())) >= 0).any()
