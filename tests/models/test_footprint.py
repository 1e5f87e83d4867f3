"""The footprint of a configuration is the size of the network that is built from it."""

import pytest

from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.experiments.templates import all_templates
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.neumf_config import NeuMFConfig
from movielens_recsys.models.networks.recommender import EmbeddingRecommender, NeuralRecommender
from movielens_recsys.models.table import entry_of
from movielens_recsys.models.two_tower.network import TwoTowerVAE

RATINGS = synthetic_ratings(30, 20, 300, seed=0).ratings
CONFIGS = [
    *(template.config("a").model for template in all_templates()),
    NeuMFConfig(n_factors=3, hidden_dims=(5,)),
    HybridVAEConfig(n_factors=3, hidden_dims=(7, 5), latent_dim=2, normalization="layer"),
    HybridVAEConfig(n_factors=3, hidden_dims=(7,), latent_dim=9, normalization="batch", bias_terms=False),
    HybridVAEConfig(encoder="two_sided", n_factors=3, hidden_dims=(7, 5), latent_dim=4, id_embeddings=True),
    *(
        HybridVAEConfig(encoder="two_sided", hidden_dims=(7, 5), variants=(variant,), side_information=side)
        for variant in ("skip", "attention", "hierarchical")
        for side in (True, False)
    ),
    HybridVAEConfig(encoder="two_sided", rounds=3, side_information=False, time_effects=False),
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_the_footprint_is_the_size_of_the_network(config: ModelConfig) -> None:
    size = config.footprint()
    if config.rating_model.fit_method != "gradient":
        assert size is None
        assert not issubclass(entry_of(config.name).model_class(), NeuralRecommender)
        return
    model = build_model(config, RATINGS, seed=0)
    assert size is not None
    assert isinstance(model, NeuralRecommender)
    built = sum(parameter.numel() for parameter in model.network.parameters())
    n_attributes = 0
    if isinstance(model.network, TwoTowerVAE) and model.network.attributes is not None:
        n_attributes = model.network.attributes.in_features
    n_levels = len(RATINGS.scale.levels)
    assert size.parameters(RATINGS.n_users, RATINGS.n_items, n_levels, n_attributes) == built
    if isinstance(model, EmbeddingRecommender):
        assert size.embedding_dim == model.network.users.embedding_dim
