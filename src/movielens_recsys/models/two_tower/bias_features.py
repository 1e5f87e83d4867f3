"""Biases of users, items and groups of ratings, from the ratings that are visible to the encoders.

    b_i = sum_u (r - mean) / (n_i + 4)
    b_u = sum_i (r - mean - b_i) / (n_u + 6)
    b_g = sum over group g of (r - mean - b_i - b_u - z_u . z_i) / (n_g + shrinkage of g)

The groups are those of the `TimeContext`: a user's day or session, a day, an item's month. Shrunken means in
this order, in place of a joint solution, are recomputed for all users and items in every training step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from movielens_recsys.models.two_tower.interactions import TrainingInteractions
from movielens_recsys.models.two_tower.time_context import AGES

ITEM_SHRINKAGE, USER_SHRINKAGE = 4.0, 6.0
GROUP_SHRINKAGES = {"user_day": 5.0, "day": 50.0, "item_month": 8.0}
SESSION_SHRINKAGE = 0.5
"""Per rating of a full session: a session with few ratings counts the less, the longer sessions are."""
DAY_S = 86_400


@dataclass(frozen=True, eq=False)
class BiasStatistics:
    """Biases in stars of users and items, and the numbers of ratings behind them, float32, one for each."""

    user_bias: Tensor
    item_bias: Tensor
    user_count: Tensor
    item_count: Tensor

    def features(self, users: Tensor, items: Tensor) -> list[Tensor]:
        """Return both biases and the scaled logarithms of both counts, each of shape (n,)."""
        counts = (self.user_count[users], self.item_count[items])
        # Counts from 1 to 3,000 become -0.8 to 1: inputs of the decoder's network are of order 1.
        return [self.user_bias[users], self.item_bias[items], *(n.log1p() / 4 - 1 for n in counts)]


GroupBiases = Mapping[str, tuple[Tensor, Tensor]]
"""For each effect b_g in stars and the number of ratings behind it, both float32 of shape (n_groups,)."""


def bias_statistics(interactions: TrainingInteractions, visible: Tensor) -> tuple[BiasStatistics, Tensor]:
    """Return the biases from the visible ratings, and every rating's residual r - mean - b_i - b_u.

    ``visible`` is 1, or 0 for a masked rating; it and the residuals are float64 of shape (n,).
    """
    # Float64: one number per rating costs little beside the (n, width) tensors of the encoders, and sums over
    # an item with 100,000 ratings keep their digits.
    by_user, by_item = interactions.user_items.by_segment, interactions.user_items.by_row
    item_count, user_count = by_item.sum(visible), by_user.sum(visible)
    item_bias = by_item.sum(visible * interactions.deviations) / (item_count + ITEM_SHRINKAGE)
    residuals = interactions.deviations - item_bias[interactions.items]
    user_bias = by_user.sum(visible * residuals) / (user_count + USER_SHRINKAGE)
    residuals = residuals - user_bias[interactions.users]
    biases = BiasStatistics(
        user_bias=user_bias.float(),
        item_bias=item_bias.float(),
        user_count=user_count.float(),
        item_count=item_count.float(),
    )
    return biases, residuals


def group_biases(interactions: TrainingInteractions, visible: Tensor, residuals: Tensor) -> GroupBiases:
    """Return the shrunken mean residual of each group's visible ratings, and their count, by effect."""
    biases = {}
    for name, (_, by_group) in interactions.groups.items():
        count = by_group.sum(visible)
        mean = by_group.sum(visible * residuals) / (count + shrinkage_of(name))
        biases[name] = (mean.float(), count.float())
    return biases


def shrinkage_of(name: str) -> float:
    """Return how many ratings with residual 0 are added to each group of an effect."""
    if name in GROUP_SHRINKAGES:
        return GROUP_SHRINKAGES[name]
    return SESSION_SHRINKAGE * float(name.removeprefix("session_"))


def group_bias_features(biases: GroupBiases, groups: Tensor) -> list[Tensor]:
    """Return each effect's bias and the scaled logarithm of its count, zeros where the group is unknown.

    ``groups`` has a column for each effect, int64 of shape (n, n_effects); -1 is unknown.
    """
    features = []
    for column, (mean, count) in enumerate(biases.values()):
        group = groups[:, column]
        known, index = group >= 0, group.clamp(min=0)
        features += [mean[index] * known, count[index].log1p() / 3 * known]
    return features


def age_features(ages: Tensor) -> list[Tensor]:
    """Return for each column of ``ages`` (s) the scaled logarithm of it in days, and whether it is known."""
    features = []
    for age in ages.unbind(1):
        known = (age >= 0).float()
        features += [(age.clamp(min=0) / DAY_S).log1p() / 5 * known, known]
    return features


def n_features(n_effects: int, n_columns: int) -> int:
    """Return how many features a pair has: 4 of `BiasStatistics`, 2 for each column of a `TimeContext`."""
    assert n_columns - n_effects in {0, len(AGES)}
    return 4 + 2 * n_columns
