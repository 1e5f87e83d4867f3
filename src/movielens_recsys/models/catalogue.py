"""Every model by the name of its configuration: built from training rows, or restored from its state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

import numpy as np
import torch
from numpy.typing import NDArray

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import Domain, Model, under
from movielens_recsys.models.baselines import GlobalMean, Popularity, UserItemBias
from movielens_recsys.models.bayesian.model import BayesianMF
from movielens_recsys.models.bayesian.sampler import Sampler, sample
from movielens_recsys.models.config import (
    AnyFittedConfig,
    AnyModelConfig,
    EnsembleConfig,
    HybridVAEConfig,
    NeuralCFConfig,
    StarsAndListsConfig,
    UserItemBiasConfig,
)
from movielens_recsys.models.ensemble.model import Ensemble
from movielens_recsys.models.hybrid_vae import HybridVAE
from movielens_recsys.models.lists.blend import SINGLE, ListBlend
from movielens_recsys.models.lists.model import ListModel
from movielens_recsys.models.neural import PairNetwork, PairRecommender
from movielens_recsys.models.neural_cf import NeuralCF
from movielens_recsys.models.stars_and_lists import StarsAndLists
from movielens_recsys.models.two_sided.recommender import TwoSidedRecommender
from movielens_recsys.seeds import derive_seed


def _neural_cf(config: NeuralCFConfig, domain: Domain, biases: UserItemBias) -> PairNetwork:
    return NeuralCF(config, domain.n_users, domain.n_items, biases.mean)


def _hybrid_vae(config: HybridVAEConfig, domain: Domain, biases: UserItemBias) -> PairNetwork:
    scale = (domain.scale.minimum, domain.scale.maximum)
    return HybridVAE(config, domain.n_users, domain.n_items, biases.mean, scale)


CLOSED_FORM: dict[str, Any] = {
    "global_mean": GlobalMean,
    "popularity": Popularity,
    "user_item_bias": UserItemBias,
}
SAMPLED: dict[str, Any] = {"bayesian_mf": Sampler}
"""What draws them, a sweep at a time."""
LISTS: dict[str, Any] = {**SINGLE, "list_blend": ListBlend}
_FITTED: dict[str, Any] = {**CLOSED_FORM, **LISTS, "bayesian_mf": BayesianMF}
TWO_HEADED = "stars_and_lists"
NETWORKS: dict[str, Callable[[Any, Domain, UserItemBias], PairNetwork]] = {
    "neural_cf": _neural_cf,
    "hybrid_vae": _hybrid_vae,
}


def build_network(config: AnyModelConfig, domain: Domain, biases: UserItemBias) -> PairNetwork:
    """Make the untrained network over pairs that ``config`` describes, drawing from torch's global stream."""
    return NETWORKS[config.name](config, domain, biases)


def build(config: AnyModelConfig, train: Ratings, seed: int = 0) -> Model:
    """Fit a closed-form, sampled or list model to ``train``, or make the untrained neural recommender for it.

    The same seed gives the same weights, and torch's global stream is left where it was.
    """
    if config.name in CLOSED_FORM:
        model: Model = CLOSED_FORM[config.name].fit(config, train)
        return model
    if config.name in SAMPLED:
        return sample(SAMPLED[config.name](config, train, seed))
    if config.name in LISTS:
        lists: ListModel = LISTS[config.name].fit(config, train, seed)
        return lists
    if isinstance(config, StarsAndListsConfig):
        return StarsAndLists(
            config, build(config.stars, train, seed), LISTS[config.lists.name].fit(config.lists, train, seed)
        )
    domain = Domain.of(train)
    fallback = UserItemBias.fit(UserItemBiasConfig(), train)
    seen_users = np.bincount(train.users, minlength=train.n_users) > 0
    seen_items = np.bincount(train.items, minlength=train.n_items) > 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "weights"))
        if _is_two_sided(config):
            return TwoSidedRecommender.untrained(config, train, fallback, (seen_users, seen_items))
        network = build_network(config, domain, fallback)
    return PairRecommender(config, domain, network, fallback, seen_users, seen_items)


def _is_two_sided(config: AnyFittedConfig) -> TypeGuard[HybridVAEConfig]:
    return isinstance(config, HybridVAEConfig) and config.encoder == "two_sided"


def restore(config: AnyFittedConfig, domain: Domain, state: Mapping[str, NDArray[np.generic]]) -> Model:
    """Rebuild the model whose `Model.state` is ``state``."""
    if isinstance(config, EnsembleConfig):
        return Ensemble.from_state(config, domain, state, restore)
    if config.name in _FITTED:
        model: Model = _FITTED[config.name].from_state(config, domain, state)
        return model
    if isinstance(config, StarsAndListsConfig):
        lists = LISTS[config.lists.name].from_state(config.lists, domain, under("lists.", state))
        return StarsAndLists(config, restore(config.stars, domain, under("stars.", state)), lists)
    if _is_two_sided(config):
        return TwoSidedRecommender.from_state(config, domain, state)
    return PairRecommender.from_state(config, domain, state, build_network)
