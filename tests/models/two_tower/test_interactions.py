"""Training ratings sorted for the encoders."""

from __future__ import annotations

import numpy as np
import torch

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.two_tower.interactions import TrainingInteractions


def test_ratings_are_sorted_and_found_again_by_their_rows(train: Ratings, small: HybridVAEConfig) -> None:
    shuffled = train.take(np.random.default_rng(0).permutation(len(train)))
    interactions, time_lookup = TrainingInteractions.of(small, shuffled, 3.0)
    positions = interactions.positions.numpy()
    np.testing.assert_array_equal(interactions.users.numpy()[positions], shuffled.users)
    np.testing.assert_allclose(interactions.deviations.numpy()[positions], shuffled.ratings - 3.0)
    assert (interactions.users.diff() >= 0).all()
    assert interactions.user_items.by_segment.order is None
    counts = interactions.user_items.sum(torch.ones(train.n_items, 1), torch.ones(len(train)))
    np.testing.assert_array_equal(counts[:, 0], np.bincount(train.users, minlength=train.n_users))
    columns = time_lookup.columns(shuffled.users, shuffled.items, shuffled.timestamps)
    for column, name in enumerate(time_lookup.names):
        groups = interactions.groups[name][0].numpy()[positions]
        # At one second of one user, a lookup cannot tell which rating came first.
        assert (groups == columns[:, column]).mean() > 0.9
