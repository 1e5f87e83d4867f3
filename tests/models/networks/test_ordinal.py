"""The ordinal distribution against its definition."""

from __future__ import annotations

import torch

from movielens_recsys.models.networks.ordinal import CutpointParameters, OrdinalDistribution


def test_expectation_and_likelihood_follow_from_the_probabilities_of_the_levels() -> None:
    log_odds = torch.tensor([[-1.0, 0.5, 2.0], [-3.0, -1.0, 0.0]])
    cumulative = torch.cat([torch.zeros(2, 1), torch.sigmoid(log_odds), torch.ones(2, 1)], dim=1)
    levels, probabilities = torch.tensor([1.0, 1.5, 2.0, 2.5]), cumulative.diff(dim=1)
    distribution = OrdinalDistribution(log_odds, minimum=1.0, step=0.5)
    torch.testing.assert_close(distribution.expected, probabilities @ levels)
    likelihood = -(probabilities[0, 3].log() + probabilities[1, 0].log()) / 2
    ratings = torch.tensor([2.5, 1.0])
    torch.testing.assert_close(distribution.negative_log_likelihood(ratings), likelihood)


def test_an_impossible_rating_has_a_finite_likelihood() -> None:
    distribution = OrdinalDistribution(torch.tensor([[-200.0, -100.0]]), minimum=1.0, step=1.0)
    assert torch.isfinite(distribution.negative_log_likelihood(torch.tensor([1.0])))


def test_cutpoints_start_at_the_fractions_of_the_levels_and_ascend() -> None:
    fractions = torch.tensor([0.1, 0.2, 0.3, 0.4])
    cutpoints = CutpointParameters(fractions)()
    torch.testing.assert_close(torch.sigmoid(cutpoints), fractions.cumsum(0)[:-1])
    assert (cutpoints.diff() > 0).all()


def test_likelihoods_at_the_initial_cutpoints_are_the_shares_of_the_levels() -> None:
    shares = torch.tensor([0.1, 0.05, 0.2, 0.05, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    log_odds = CutpointParameters(shares)()[None]
    ordinal = OrdinalDistribution(log_odds, minimum=0.5, step=0.5)
    stars = 0.5 + 0.5 * torch.arange(10.0)
    likelihoods = [(-ordinal.negative_log_likelihood(star[None])).exp() for star in stars]
    torch.testing.assert_close(torch.stack(likelihoods), shares, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(ordinal.expected, (shares * stars).sum()[None])
