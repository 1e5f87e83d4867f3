"""Models are built and restored by the name of their configuration."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.errors import ModelError
from movielens_recsys.models.baselines_config import GlobalMeanConfig, PopularityConfig
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.ensemble.config import EnsembleConfig
from movielens_recsys.models.factory import build_model, restore_model
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.pair_vae import PairVAERecommender
from movielens_recsys.models.two_tower.recommender import TwoTowerRecommender

RATINGS = synthetic_ratings(30, 20, 300, seed=0).ratings
SMALL = {"n_factors": 4, "hidden_dims": (6,), "latent_dim": 2}
PAIR, TWO_TOWER = HybridVAEConfig(**SMALL), HybridVAEConfig(encoder="two_sided", **SMALL)


@pytest.mark.parametrize("config", [PopularityConfig(), PAIR, TWO_TOWER], ids=lambda config: config.name)
def test_a_restored_model_predicts_the_same(config: ModelConfig) -> None:
    model = build_model(config, RATINGS, seed=3)
    restored = restore_model(config, model.domain, model.state())
    assert type(restored) is type(model)
    pairs = (RATINGS.users[:50], RATINGS.items[:50])
    np.testing.assert_array_equal(restored.predict(*pairs), model.predict(*pairs))


def test_the_encoder_decides_the_recommender_of_a_hybrid_vae() -> None:
    assert type(build_model(PAIR, RATINGS)) is PairVAERecommender
    assert type(build_model(TWO_TOWER, RATINGS)) is TwoTowerRecommender


def test_building_leaves_torchs_global_stream_where_it_was() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    build_model(PAIR, RATINGS, 0)
    assert torch.equal(torch.rand(3), expected)


def test_an_ensemble_is_not_fitted_to_training_ratings_alone() -> None:
    config = EnsembleConfig(members=(GlobalMeanConfig(), PopularityConfig()), blend="mean")
    with pytest.raises(ModelError, match="recsys ensemble run"):
        build_model(config, RATINGS)
