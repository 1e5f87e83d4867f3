"""`TrainingInteractions`: the training ratings, in the orders in which encoders sum over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.features.side_info import item_features
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.two_tower.segments import SegmentIndex, SegmentSum
from movielens_recsys.models.two_tower.svd_init import svd_init
from movielens_recsys.models.two_tower.time_context import TimeContext


@dataclass(frozen=True, eq=False)
class TrainingInteractions:
    """Training ratings sorted by user and time.

    Attributes
    ----------
    users, items
        int64, shape (n,).
    deviations
        Stars above the mean rating, float64, shape (n,).
    place
        Where the rows that training counts lie in this order, int64, shape (n,).
    user_items
        The items of each user as bags; turned, the users of each item.
    groups
        For each effect of `Moments` every rating's group, and the ratings by group.
    start
        What is known of users and items from who rated what alone: shape (n_users or n_items, n_factors).
    attributes
        Genres and year of each item, shape (n_items, n_attributes).
    """

    users: Tensor
    items: Tensor
    deviations: Tensor
    place: Tensor
    user_items: SegmentSum
    groups: Mapping[str, tuple[Tensor, SegmentIndex]]
    start: tuple[Tensor, Tensor]
    attributes: Tensor

    @classmethod
    def of(cls, config: HybridVAEConfig, train: Ratings, mean: float) -> tuple[Self, TimeContext]:
        """Sort ``train``, find each rating's groups, and decompose who rated what."""
        times = np.zeros(len(train), np.int64) if train.timestamps is None else train.timestamps
        order = np.lexsort((times, train.users))
        ratings = train.take(order)
        moments = TimeContext.of(config, ratings)
        users, items = (
            torch.as_tensor(ratings.users.astype(np.int64)),
            torch.as_tensor(ratings.items.astype(np.int64)),
        )
        by_user, by_item = SegmentIndex.of(users, train.n_users), SegmentIndex.of(items, train.n_items)
        columns = torch.as_tensor(
            moments.at(ratings.users, ratings.items, ratings.timestamps).astype(np.int64)
        )
        groups = {
            name: (columns[:, column], SegmentIndex.of(columns[:, column], moments.n_groups(name)))
            for column, name in enumerate(moments.names)
        }
        known = item_features(train) if config.side_information else None
        attributes = np.zeros((train.n_items, 0), np.float32) if known is None else known.toarray()
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        history = cls(
            users,
            items,
            torch.as_tensor(ratings.ratings.astype(np.float64) - mean),
            torch.as_tensor(place),
            SegmentSum.of(users, items, by_user, by_item),
            groups,
            svd_init(ratings, max(config.n_factors, config.latent_dim)),
            torch.as_tensor(attributes),
        )
        return history, moments

    def to(self, device: torch.device) -> TrainingInteractions:
        """Return the same on ``device``, or itself if it is there."""
        if self.users.device == device:
            return self
        return replace(
            self,
            users=self.users.to(device),
            items=self.items.to(device),
            deviations=self.deviations.to(device),
            place=self.place.to(device),
            user_items=self.user_items.to(device),
            groups={n: (group.to(device), by.to(device)) for n, (group, by) in self.groups.items()},
            start=(self.start[0].to(device), self.start[1].to(device)),
            attributes=self.attributes.to(device),
        )
