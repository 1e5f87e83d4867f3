"""Posterior samples and the averages over them."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.bayesian.model import BayesianMF
from movielens_recsys.models.bayesian.posterior import PosteriorSamples


def test_scores_are_means_over_samples(model: BayesianMF) -> None:
    samples, users = model.samples, np.arange(9)
    user_rows = samples.users.astype(np.float64)[:, users]
    item_rows = samples.items.astype(np.float64)[:, :-1]
    each = np.einsum("dnk,dmk->dnm", user_rows[:, :, 1:], item_rows[:, :, 1:]) + user_rows[:, :, :1]
    expected = (each + item_rows[:, None, :, 0]).mean(0)
    np.testing.assert_allclose(model.score(users), expected, atol=1e-5)


def test_expected_steps_sum_the_probabilities_above_the_cutpoints(model: BayesianMF, train: Ratings) -> None:
    samples, users, items = model.samples, train.users[:5], train.items[:5]
    groups = model.rating_groups.find(users, items, None)
    expected = np.zeros(5)
    for s in range(len(samples)):
        user, item = samples.users[s][users].astype(float), samples.items[s][items].astype(float)
        score = user[:, 0] + item[:, 0] + (user[:, 1:] * item[:, 1:]).sum(1)
        variance = 1 / samples.noise[s][users].astype(float)
        for name, group in groups.items():
            value = samples.effects[name][s][group].astype(float)
            score += np.where(group >= 0, value, 0)
            variance += np.where(group >= 0, 0, 1 / samples.effect_precisions[name][s])
        above = ndtr((score[:, None] - samples.cutpoints[s]) / np.sqrt(variance)[:, None])
        expected += above.sum(1) / len(samples)
    found = samples.expected_steps(users.astype(np.int32), items.astype(np.int32), groups)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_samples_are_written_one_after_another(model: BayesianMF) -> None:
    first = model.samples.first(2)
    allocated = PosteriorSamples.allocate(4, first)
    allocated.write(0, first)
    allocated.write(2, first)
    for name, array in allocated.state().items():
        np.testing.assert_array_equal(array[2:], first.state()[name], err_msg=name)


def test_similarities_are_correlations_of_two_items_over_users_of_the_prior(model: BayesianMF) -> None:
    samples = model.samples
    factors = samples.items.astype(np.float64)[:, :-1, 1:]
    variance = 1 / samples.user_precision.astype(np.float64)[:, 1:]
    covariances = np.einsum("snk,sk,smk->nm", factors, variance, factors)
    deviations = np.sqrt(np.diag(covariances))
    expected = covariances[4] / (deviations[4] * deviations)
    known = model.known_items
    np.testing.assert_allclose(model.item_similarities(4)[known], expected[known], atol=1e-4)
