"""A composite answers for its rating model, and takes no part where another belongs."""

from __future__ import annotations

import pytest

from movielens_recsys.errors import ConfigError
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.composite_config import RatingRankingConfig
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.models.networks.neumf_config import NeuMFConfig

SAMPLED, TWO_TOWER = BayesianMFConfig(chains=3, sweeps=100), HybridVAEConfig(encoder="two_sided")


@pytest.mark.parametrize("part", [SAMPLED, TWO_TOWER, NeuMFConfig()], ids=lambda config: config.name)
def test_a_composite_answers_for_its_rating_model(part: ModelConfig) -> None:
    composite = RatingRankingConfig(stars=part, lists=EASEConfig())
    assert (composite.rating_model, composite.ranking_model) == (part, EASEConfig())
    assert composite.uses_mcmc == part.uses_mcmc
    assert composite.total_sweeps == part.total_sweeps
    assert composite.has_ordinal_output == part.has_ordinal_output
    assert composite.uses_kl_weight == part.uses_kl_weight
    assert composite.with_more_capacity(2).get("stars", {}) == part.with_more_capacity(2)
    assert composite.footprint() == part.footprint()
    assert composite.fit_bytes(1_000, 50, 40) == EASEConfig().fit_bytes(1_000, 50, 40)
    assert "lists.max_items" in composite.settings_of_memory()
    assert composite.uses_seed == part.uses_seed
    assert composite.sampling_bytes(1_000, 50, 40) == part.sampling_bytes(1_000, 50, 40)
    assert composite.settings_needing_timestamps() == part.settings_needing_timestamps()
    assert not composite.uses_positives


@pytest.mark.parametrize(
    ("rating", "ranking"), [("ease", "ease"), ("neural_cf", "neural_cf"), ("stars_and_lists", "ease")]
)
def test_each_part_is_of_its_kind(rating: str, ranking: str) -> None:
    with pytest.raises(ConfigError, match="expected"):
        RatingRankingConfig.parse({"stars": {"name": rating}, "lists": {"name": ranking}})
