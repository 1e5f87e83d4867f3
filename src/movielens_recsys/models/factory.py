"""Every model by the name of its configuration: built from training rows, or restored from its state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

import numpy as np
import torch
from numpy.typing import NDArray

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import DataSpec, Model, strip_prefix
from movielens_recsys.models.baselines import GlobalMean, Popularity, UserItemBias
from movielens_recsys.models.bayesian.model import BayesianMF
from movielens_recsys.models.bayesian.sampler import GibbsSampler, run_sampler
from movielens_recsys.models.composite import RatingRankingModel
from movielens_recsys.models.config import (
    AnyFittedConfig,
    AnyModelConfig,
    EnsembleConfig,
    HybridVAEConfig,
    NeuMFConfig,
    RatingRankingConfig,
    UserItemBiasConfig,
)
from movielens_recsys.models.ensemble.model import Ensemble
from movielens_recsys.models.implicit.blend import BASE_MODELS, ScoreBlend
from movielens_recsys.models.implicit.model import ImplicitModel
from movielens_recsys.models.networks.neumf import NeuMF
from movielens_recsys.models.networks.pair_vae import PairVAE
from movielens_recsys.models.networks.recommender import EmbeddingNetwork, EmbeddingRecommender
from movielens_recsys.models.two_tower.recommender import TwoTowerRecommender
from movielens_recsys.seeds import derive_seed


def _neural_cf(config: NeuMFConfig, domain: DataSpec, biases: UserItemBias) -> EmbeddingNetwork:
    return NeuMF(config, domain.n_users, domain.n_items, biases.mean)


def _hybrid_vae(config: HybridVAEConfig, domain: DataSpec, biases: UserItemBias) -> EmbeddingNetwork:
    scale = (domain.scale.minimum, domain.scale.maximum)
    return PairVAE(config, domain.n_users, domain.n_items, biases.mean, scale)


CLOSED_FORM: dict[str, Any] = {
    "global_mean": GlobalMean,
    "popularity": Popularity,
    "user_item_bias": UserItemBias,
}
MCMC_MODELS: dict[str, Any] = {"bayesian_mf": GibbsSampler}
"""What draws them, a sweep at a time."""
IMPLICIT_MODELS: dict[str, Any] = {**BASE_MODELS, "list_blend": ScoreBlend}
_FITTED: dict[str, Any] = {**CLOSED_FORM, **IMPLICIT_MODELS, "bayesian_mf": BayesianMF}
TWO_HEADED = "stars_and_lists"
NETWORKS: dict[str, Callable[[Any, DataSpec, UserItemBias], EmbeddingNetwork]] = {
    "neural_cf": _neural_cf,
    "hybrid_vae": _hybrid_vae,
}


def build_network(config: AnyModelConfig, domain: DataSpec, biases: UserItemBias) -> EmbeddingNetwork:
    """Make the untrained network over pairs that ``config`` describes, drawing from torch's global stream."""
    return NETWORKS[config.name](config, domain, biases)


def build_model(config: AnyModelConfig, train: Ratings, seed: int = 0) -> Model:
    """Fit a closed-form, sampled or list model to ``train``, or make the untrained neural recommender for it.

    The same seed gives the same weights, and torch's global stream is left where it was.
    """
    if config.name in CLOSED_FORM:
        model: Model = CLOSED_FORM[config.name].fit(config, train)
        return model
    if config.name in MCMC_MODELS:
        return run_sampler(MCMC_MODELS[config.name](config, train, seed))
    if config.name in IMPLICIT_MODELS:
        lists: ImplicitModel = IMPLICIT_MODELS[config.name].fit(config, train, seed)
        return lists
    if isinstance(config, RatingRankingConfig):
        return RatingRankingModel(
            config,
            build_model(config.stars, train, seed),
            IMPLICIT_MODELS[config.lists.name].fit(config.lists, train, seed),
        )
    domain = DataSpec.of(train)
    fallback = UserItemBias.fit(UserItemBiasConfig(), train)
    seen_users = np.bincount(train.users, minlength=train.n_users) > 0
    seen_items = np.bincount(train.items, minlength=train.n_items) > 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "weights"))
        if _is_two_sided(config):
            return TwoTowerRecommender.untrained(config, train, fallback, (seen_users, seen_items))
        network = build_network(config, domain, fallback)
    return EmbeddingRecommender(config, domain, network, fallback, seen_users, seen_items)


def _is_two_sided(config: AnyFittedConfig) -> TypeGuard[HybridVAEConfig]:
    return isinstance(config, HybridVAEConfig) and config.encoder == "two_sided"


def restore_model(
    config: AnyFittedConfig, domain: DataSpec, state: Mapping[str, NDArray[np.generic]]
) -> Model:
    """Rebuild the model whose `Model.state` is ``state``."""
    if isinstance(config, EnsembleConfig):
        return Ensemble.from_state(config, domain, state, restore_model)
    if config.name in _FITTED:
        model: Model = _FITTED[config.name].from_state(config, domain, state)
        return model
    if isinstance(config, RatingRankingConfig):
        lists = IMPLICIT_MODELS[config.lists.name].from_state(
            config.lists, domain, strip_prefix("lists.", state)
        )
        return RatingRankingModel(
            config, restore_model(config.stars, domain, strip_prefix("stars.", state)), lists
        )
    if _is_two_sided(config):
        return TwoTowerRecommender.from_state(config, domain, state)
    return EmbeddingRecommender.from_state(config, domain, state, build_network)
