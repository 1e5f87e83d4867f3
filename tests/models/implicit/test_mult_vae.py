"""Mult-VAE learns two tastes, and leaves torch's own stream of noise alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.errors import ModelError
from movielens_recsys.models.implicit.mult_vae import MultVAE
from movielens_recsys.models.implicit.mult_vae_config import MultVAEConfig

SMALL = MultVAEConfig(hidden_dim=16, latent_dim=4, epochs=60, batch_size=25, learning_rate=0.01)


@pytest.fixture
def two_tastes(ratings: Ratings) -> Ratings:
    """Users of even index have rated items below 15 alone, the others the rest."""
    return replace(ratings, items=(ratings.items % 15 + 15 * (ratings.users % 2)).astype(np.int32))


def test_a_ranking_stays_within_the_taste(two_tastes: Ratings) -> None:
    scores = MultVAE.fit(SMALL, two_tastes, seed=0).score(np.arange(50))
    assert scores[::2, :15].mean() > scores[::2, 15:].mean() + 1
    assert scores[1::2, 15:].mean() > scores[1::2, :15].mean() + 1


def test_the_global_stream_is_left_alone_and_seeds_differ(two_tastes: Ratings) -> None:
    short, before = SMALL.model_copy(update={"epochs": 1}), torch.get_rng_state()
    first, other = (MultVAE.fit(short, two_tastes, seed).state() for seed in (0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert not np.array_equal(first["learned.encoder.weight"], other["learned.encoder.weight"])


def test_a_loss_that_is_not_finite_ends_the_fit(two_tastes: Ratings) -> None:
    wild = SMALL.model_copy(update={"learning_rate": 1.0, "weight_decay": 100.0})
    with pytest.raises(ModelError, match=r"lower model\.learning_rate"):
        MultVAE.fit(wild, two_tastes, seed=0)
