"""What the kept ratings say on average: biases, and how far off the model each group of ratings is.

    b_i = sum_u (r - mean) / (n_i + 4)
    b_u = sum_i (r - mean - b_i) / (n_u + 6)
    e_g = sum over g of what the latents leave of r - mean - b_i - b_u, / (n_g + shrinkage of g)

The groups are those of `Moments`: a user's day or session, a day, an item's month.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from movielens_recsys.models.two_tower.interactions import TrainingInteractions
from movielens_recsys.models.two_tower.time_context import AGES

ITEM_SHRINKAGE, USER_SHRINKAGE = 4.0, 6.0
SHRINKAGES = {"user_day": 5.0, "day": 50.0, "item_month": 8.0}
SESSION_SHRINKAGE = 0.5
"""Ratings for each one of a session's length: the mean of a longer session counts the less full it is."""
DAY_S = 86_400


@dataclass(frozen=True, eq=False)
class BiasStatistics:
    """Biases in stars and the numbers of ratings they are from, of each user and item, float32."""

    user_bias: Tensor
    item_bias: Tensor
    user_count: Tensor
    item_count: Tensor

    def features(self, users: Tensor, items: Tensor) -> list[Tensor]:
        """Return both biases and the logarithms of both counts, brought near 0, each of shape (n,)."""
        counts = (self.user_count[users], self.item_count[items])
        return [self.user_bias[users], self.item_bias[items], *(n.log1p() / 4 - 1 for n in counts)]


GroupBiases = Mapping[str, tuple[Tensor, Tensor]]
"""For each effect e_g in stars and how many ratings it is from, both of shape (n_groups,)."""


def average(history: TrainingInteractions, kept: Tensor) -> tuple[BiasStatistics, Tensor]:
    """Return the averages of the ratings whose ``kept`` is 1, and what they leave of every rating, in stars.

    ``kept`` and what is left are float64 of shape (n,).
    """
    by_user, by_item = history.user_items.bags, history.user_items.rows
    item_count, user_count = by_item.sum(kept), by_user.sum(kept)
    item_bias = by_item.sum(kept * history.deviations) / (item_count + ITEM_SHRINKAGE)
    left = history.deviations - item_bias[history.items]
    user_bias = by_user.sum(kept * left) / (user_count + USER_SHRINKAGE)
    left = left - user_bias[history.users]
    return BiasStatistics(user_bias.float(), item_bias.float(), user_count.float(), item_count.float()), left


def group_biases(history: TrainingInteractions, kept: Tensor, left: Tensor) -> GroupBiases:
    """Return each effect's mean of ``left`` over the kept ratings of each group, and their count."""
    shifts = {}
    for name, (_, by_group) in history.groups.items():
        count = by_group.sum(kept)
        mean = by_group.sum(kept * left) / (count + shrinkage_of(name))
        shifts[name] = (mean.float(), count.float())
    return shifts


def shrinkage_of(name: str) -> float:
    """Return how many ratings of 0 each group's mean has beside its own."""
    if name in SHRINKAGES:
        return SHRINKAGES[name]
    return SESSION_SHRINKAGE * float(name.removeprefix("session_"))


def group_bias_features(shifts: GroupBiases, moments: Tensor) -> list[Tensor]:
    """Return each effect's shift and the logarithm of its count, zeros where the group is not known."""
    features = []
    for column, (mean, count) in enumerate(shifts.values()):
        group = moments[:, column]
        known, place = group >= 0, group.clamp(min=0)
        features += [mean[place] * known, count[place].log1p() / 3 * known]
    return features


def age_features(ages: Tensor) -> list[Tensor]:
    """Return for each column of ``ages`` (s) the logarithm of it in days, and whether it is known."""
    features = []
    for age in ages.unbind(1):
        known = (age >= 0).float()
        features += [(age.clamp(min=0) / DAY_S).log1p() / 5 * known, known]
    return features


def n_features(n_effects: int, n_moments: int) -> int:
    """Return how many features a pair has: of `BiasStatistics`, of effects, and of ages if known."""
    assert n_moments - n_effects in {0, len(AGES)}
    return 4 + 2 * n_moments
