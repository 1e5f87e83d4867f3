"""Chains, threads, and the samples kept."""

from __future__ import annotations

import numpy as np
import torch

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.bayesian.parallel import ThreadPool
from movielens_recsys.models.bayesian.sampler import GibbsSampler, kept_sweeps


def test_samples_are_kept_evenly_spaced_up_to_the_last_sweep(small: BayesianMFConfig) -> None:
    config = small.model_copy(update={"sweeps": 12, "burn_in": 4, "n_posterior_samples": 4})
    assert kept_sweeps(config) == [6, 8, 10, 12]


def test_the_number_of_threads_changes_no_sample(small: BayesianMFConfig, train: Ratings) -> None:
    config = small.model_copy(update={"sweeps": 12})
    before = torch.get_num_threads()
    states = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            sampler = GibbsSampler(config, train, seed=5)
            sampler.run()
            states.append(sampler.kept_samples().state())
    finally:
        torch.set_num_threads(before)
    for name, array in states[0].items():
        np.testing.assert_array_equal(array, states[1][name], err_msg=name)


def test_a_restored_sampler_continues_bit_for_bit(small: BayesianMFConfig, train: Ratings) -> None:
    config = small.model_copy(update={"sweeps": 8, "chains": 2, "n_posterior_samples": 6})
    sampler = GibbsSampler(config, train, seed=5)
    with ThreadPool() as threads:
        for _ in range(11):
            sampler.sweep(threads)
    restored = GibbsSampler(config, train, seed=5)
    restored.restore(*sampler.state())
    assert restored.chain_number == 1
    sampler.run()
    restored.run()
    for name, array in sampler.kept_samples().state().items():
        np.testing.assert_array_equal(restored.kept_samples().state()[name], array, err_msg=name)


def test_the_first_chain_is_the_same_however_many_follow(small: BayesianMFConfig, train: Ratings) -> None:
    states = []
    for chains in (1, 2):
        config = small.model_copy(update={"sweeps": 8, "chains": chains, "n_posterior_samples": 2 * chains})
        sampler = GibbsSampler(config, train, seed=5)
        sampler.run()
        states.append(sampler.kept_samples().first(2).state())
    for name, array in states[0].items():
        np.testing.assert_array_equal(array, states[1][name], err_msg=name)
