"""Small models, a configuration and a fit that tests of training share."""

from __future__ import annotations

from typing import Any

from movielens_recsys.data.splits.split import Split
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.neumf_config import NeuMFConfig
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.fit import fit
from movielens_recsys.training.history import EpochMetrics

VAE = HybridVAEConfig(n_factors=6, hidden_dims=(12,), latent_dim=4)
TWO_TOWER = HybridVAEConfig(
    encoder="two_sided", n_factors=6, hidden_dims=(12,), latent_dim=4, latent_noise=0.5
)
NEUMF = NeuMFConfig(n_factors=4, hidden_dims=(8,), dropout=0.0)
PLAIN = TrainingConfig(epochs=4, batch_size=256, learning_rate=5e-3, kl_weight=0.1)


def trained(model: Any, split: Split, **changes: Any) -> tuple[Any, tuple[EpochMetrics, ...]]:
    """Fit with `PLAIN`, changed; return the recommender and its history."""
    recommender, result = fit(model, PLAIN.model_copy(update=changes), split)
    return recommender, result.history
