"""Models are built and restored by the name of their configuration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.errors import ModelError
from movielens_recsys.models.baselines_config import PopularityConfig
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.factory import build_model, check_learnable, restore_model
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.implicit.ease_config import EASEConfig

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


def test_building_leaves_torchs_global_stream_where_it_was() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    build_model(PAIR, RATINGS, 0)
    assert torch.equal(torch.rand(3), expected)


def test_models_of_ratings_refuse_interactions_and_name_those_that_learn_from_them() -> None:
    interactions = replace(RATINGS, name="likes", implicit=True)
    for config in (PopularityConfig(), EASEConfig()):
        check_learnable(config, interactions)
    check_learnable(PAIR, RATINGS)
    with pytest.raises(ModelError, match=r"hybrid_vae learns from ratings, and likes .* ease, .*popularity"):
        check_learnable(PAIR, interactions)
