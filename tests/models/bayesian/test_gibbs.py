"""One chain: its random effects, scores and noise stay consistent from sweep to sweep."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.errors import ModelError
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.bayesian.gibbs import GibbsChain
from movielens_recsys.models.bayesian.gp_kernels import Kernels
from movielens_recsys.models.bayesian.parallel import ThreadPool


def chain_of(config: BayesianMFConfig, train: Ratings) -> GibbsChain:
    return GibbsChain(config, train, Kernels.of(config, train, 1), seed=1)


def test_running_scores_are_those_of_rows_and_effects(small: BayesianMFConfig, train: Ratings) -> None:
    chain = chain_of(small, train)
    with ThreadPool() as threads:
        for _ in range(6):
            chain.sweep(threads)
    user_rows, item_rows = chain.users.rows[chain.user_of], chain.items.rows[chain.item_of]
    scores = user_rows[:, 0] + item_rows[:, 0] + (user_rows[:, 1:] * item_rows[:, 1:]).sum(1)
    effects = sum(values[chain._groups[name]] for name, values in chain.effects.items())
    np.testing.assert_allclose(chain._effect_sums, effects, atol=1e-4)
    np.testing.assert_allclose(chain._scores, scores + effects, atol=1e-4)


def test_a_restored_chain_continues_bit_for_bit(small: BayesianMFConfig, train: Ratings) -> None:
    chain, other = chain_of(small, train), chain_of(small, train)
    with ThreadPool() as threads:
        for _ in range(3):
            chain.sweep(threads)
        other.restore(*chain.state())
        for either in (chain, other):
            either.sweep(threads)
    for name, array in chain.state()[0].items():
        np.testing.assert_array_equal(other.state()[0][name], array, err_msg=name)
    assert chain.sweeps == other.sweeps == 4


def test_no_training_ratings_are_refused(small: BayesianMFConfig, train: Ratings) -> None:
    with pytest.raises(ModelError, match="no training ratings"):
        GibbsChain(small, train.take(np.arange(0)), Kernels((), ()), seed=1)
