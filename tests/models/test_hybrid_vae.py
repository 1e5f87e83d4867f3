"""The encoder of the configuration decides which recommender is built and restored."""

from __future__ import annotations

import pytest

from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.models.hybrid_vae import HybridVAE
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.pair_vae import PairVAERecommender
from movielens_recsys.models.two_tower.recommender import TwoTowerRecommender

RATINGS = synthetic_ratings(30, 20, 300, seed=0).ratings
SMALL = {"n_factors": 4, "hidden_dims": (6,), "latent_dim": 2}


@pytest.mark.parametrize(
    ("encoder", "kind"), [("pair", PairVAERecommender), ("two_sided", TwoTowerRecommender)]
)
def test_the_encoder_decides_the_recommender(encoder: str, kind: type) -> None:
    config = HybridVAEConfig(encoder=encoder, **SMALL)
    model = HybridVAE.fit(config, RATINGS)
    assert type(model) is kind
    assert type(HybridVAE.from_state(config, model.domain, model.state())) is kind
