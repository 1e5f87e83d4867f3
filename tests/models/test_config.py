"""What other rooms learn about a model from its configuration alone."""

from __future__ import annotations

import pytest

from movielens_recsys.models.baselines_config import UserItemBiasConfig
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.models.implicit.ials_config import IALSConfig
from movielens_recsys.models.implicit.item_knn_config import ItemKNNConfig
from movielens_recsys.models.implicit.mult_vae_config import MultVAEConfig
from movielens_recsys.models.networks.neumf_config import NeuMFConfig

SAMPLED, TWO_TOWER = BayesianMFConfig(chains=3, sweeps=100), HybridVAEConfig(encoder="two_sided")


def test_a_plain_model_is_its_own_rating_and_ranking_model() -> None:
    config = EASEConfig()
    assert config.rating_model is config.ranking_model is config


def test_only_samplers_sample() -> None:
    assert (SAMPLED.uses_mcmc, SAMPLED.total_sweeps) == (True, 300)
    assert SAMPLED.sampling_bytes(1_000, 50, 40) > SAMPLED.model_copy(
        update={"n_posterior_samples": 1}
    ).sampling_bytes(1_000, 50, 40)
    assert (TWO_TOWER.uses_mcmc, TWO_TOWER.total_sweeps, TWO_TOWER.sampling_bytes(1_000, 50, 40)) == (
        False,
        0,
        0,
    )


def test_a_seed_changes_what_is_random_alone() -> None:
    assert not UserItemBiasConfig().uses_seed
    assert not EASEConfig().uses_seed
    assert all(config.uses_seed for config in (SAMPLED, TWO_TOWER, MultVAEConfig()))


def test_memory_of_closed_forms_grows_with_the_square_of_the_items_that_take_part() -> None:
    assert EASEConfig().fit_bytes(10, 10, 1_000) == 16 * 1_000**2
    assert EASEConfig(max_items=100).fit_bytes(10, 10, 1_000) == 16 * 100**2
    assert ItemKNNConfig(neighbours=50).fit_bytes(10, 10, 1_000) == 8 * 50 * 1_000
    assert IALSConfig().fit_bytes(10, 300, 200) == 4 * 64 * 500
    for config in (EASEConfig(), ItemKNNConfig(), IALSConfig(), MultVAEConfig(), SAMPLED, NeuMFConfig()):
        assert all(name in type(config).model_fields for name in config.settings_of_memory())
        assert config.settings_of_memory()


def test_only_networks_with_a_latent_use_the_kl_weight_of_training() -> None:
    assert HybridVAEConfig().uses_kl_weight
    assert not NeuMFConfig().uses_kl_weight
    assert not MultVAEConfig().uses_kl_weight, "it has a KL weight of its own"


@pytest.mark.parametrize(
    ("config", "settings"),
    [
        (SAMPLED, ("time_effects", "sessions")),
        (BayesianMFConfig(time_effects=False, sessions=()), ()),
        (HybridVAEConfig(), ()),
        (
            TWO_TOWER.model_copy(update={"variants": ("skip", "attention")}),
            ("time_effects", "sessions", "variant attention"),
        ),
        (EASEConfig(), ()),
    ],
)
def test_settings_that_need_timestamps(config: ModelConfig, settings: tuple[str, ...]) -> None:
    assert config.settings_needing_timestamps() == settings


def test_more_capacity_is_wider_embeddings_and_layers() -> None:
    assert NeuMFConfig(n_factors=10, hidden_dims=(20, 5)).with_more_capacity(1.5) == {
        "n_factors": 15,
        "hidden_dims": [30, 8],
    }
    assert EASEConfig().with_more_capacity(1.5) == {}
