"""Ratings as ordered levels: a distribution over the scale for every pair."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

SMALLEST_PROBABILITY = 1e-6


class OrdinalDistribution(NamedTuple):
    """The distribution of each pair's rating over the levels of a scale.

    P(rating <= level k) = sigmoid(log_odds_k): the cumulative logit model (McCullagh, 1980,
    https://doi.org/10.1111/j.2517-6161.1980.tb01109.x).

    Attributes
    ----------
    log_odds
        Shape (n, levels - 1), ascending in each row.
    minimum, step
        The scale's lowest level and the distance between two, in stars.
    """

    log_odds: Tensor
    minimum: float
    step: float

    @property
    def expected(self) -> Tensor:
        """E[rating] = minimum + step x sum_k P(rating > level k), in stars, shape (n,)."""
        return self.minimum + self.step * torch.sigmoid(-self.log_odds).sum(1)

    def negative_log_likelihood(self, ratings: Tensor) -> Tensor:
        """Return the mean of -log P(rating) in nats, a scalar; ``ratings`` are stars of shape (n,)."""
        level = torch.round((ratings - self.minimum) / self.step).long()
        level = level.clamp(0, self.log_odds.shape[1])[:, None]
        below = torch.sigmoid(self.log_odds.float())
        zero, one = below.new_zeros(len(below), 1), below.new_ones(len(below), 1)
        cumulative = torch.cat([zero, below, one], dim=1)
        probability = cumulative.gather(1, level + 1) - cumulative.gather(1, level)
        # The difference of two nearly equal probabilities may round to 0, whose logarithm is infinite.
        return -probability.clamp(min=SMALLEST_PROBABILITY).log().mean()


class CutpointParameters(nn.Module):
    """Ordered cutpoints, the same for all pairs: c_1, and c_k+1 = c_k + exp(d_k)."""

    def __init__(self, fractions: Tensor) -> None:
        """Start where the levels have these ``fractions`` of all ratings, shape (levels,), each above 0."""
        super().__init__()
        start = torch.logit(fractions.cumsum(0)[:-1])
        self.lowest = nn.Parameter(start[:1].clone())
        self.log_distances = nn.Parameter(start.diff().log())

    def forward(self) -> Tensor:
        """Return the cutpoints, shape (levels - 1,), ascending."""
        return torch.cat([self.lowest, self.lowest + self.log_distances.exp().cumsum(0)])
