"""Biases from visible ratings, and the features that pairs get of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.two_tower import bias_features
from movielens_recsys.models.two_tower.bias_features import (
    age_features,
    bias_statistics,
    group_bias_features,
    group_biases,
    shrinkage_of,
)
from movielens_recsys.models.two_tower.interactions import TrainingInteractions

MEAN = 3.5


@pytest.fixture(scope="module")
def visible(train: Ratings) -> torch.Tensor:
    return (torch.arange(len(train)) % 4 > 0).double()


def test_biases_are_shrunken_means_of_the_visible_ratings(
    train: Ratings, small: HybridVAEConfig, visible: torch.Tensor
) -> None:
    interactions, _ = TrainingInteractions.of(small, train, MEAN)
    biases, residuals = bias_statistics(interactions, visible)
    deviations, shown = train.ratings.astype(np.float64) - MEAN, visible.numpy() > 0
    item_bias = np.zeros(train.n_items)
    for item in range(train.n_items):
        own = shown & (train.items == item)
        item_bias[item] = deviations[own].sum() / (own.sum() + bias_features.ITEM_SHRINKAGE)
    np.testing.assert_allclose(biases.item_bias, item_bias, rtol=1e-5, atol=1e-6)
    after_items = deviations - item_bias[train.items]
    user = int(train.users[0])
    own = shown & (train.users == user)
    user_bias = after_items[own].sum() / (own.sum() + bias_features.USER_SHRINKAGE)
    assert float(biases.user_bias[user]) == pytest.approx(user_bias, rel=1e-5)
    assert float(biases.user_count[user]) == own.sum()
    assert float(residuals[0]) == pytest.approx(after_items[0] - user_bias, rel=1e-5)


def test_group_biases_are_shrunken_mean_residuals_by_effect(
    train: Ratings, small: HybridVAEConfig, visible: torch.Tensor
) -> None:
    interactions, _ = TrainingInteractions.of(small, train, MEAN)
    residuals = torch.randn(len(train), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    biases = group_biases(interactions, visible, residuals)
    for name in ("user_day", "session_8"):
        own = (interactions.groups[name][0] == 1) & (visible > 0)
        expected = residuals[own].sum() / (own.sum() + shrinkage_of(name))
        assert float(biases[name][0][1]) == pytest.approx(float(expected), rel=1e-5)
        assert float(biases[name][1][1]) == own.sum()
    assert shrinkage_of("session_8") == 4


def test_unknown_groups_and_ages_have_features_of_zero() -> None:
    biases = {"day": (torch.tensor([0.5, -0.5]), torch.tensor([3.0, 0.0]))}
    bias, count = group_bias_features(biases, torch.tensor([[1], [-1], [0]]))
    torch.testing.assert_close(bias, torch.tensor([-0.5, 0.0, 0.5]))
    torch.testing.assert_close(count, torch.tensor([0.0, 0.0, np.log(4) / 3], dtype=torch.float32))
    age, known = age_features(torch.tensor([[-1], [86_400]]))
    torch.testing.assert_close(age, torch.tensor([0.0, np.log(2) / 5], dtype=torch.float32))
    assert known.tolist() == [0, 1]
