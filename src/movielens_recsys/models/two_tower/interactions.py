"""`TrainingInteractions`: the training ratings, sorted as the encoders sum over them."""

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
    """Training ratings sorted by user and timestamp.

    Attributes
    ----------
    users, items
        int64, shape (n,).
    deviations
        Rating minus the mean rating, in stars, float64 of shape (n,).
    positions
        Where each row of the training ratings is in this order, int64 of shape (n,).
    user_items
        The items of each user as segments; transposed, the users of each item.
    groups
        For each effect of the `TimeContext`, every rating's group, int64 of shape (n,), and the ratings
        sorted by group.
    svd
        Fixed embeddings of users and items from who rated what, see `svd_init`; shapes (n_users, rank) and
        (n_items, rank), where rank is the larger of ``n_factors`` and ``latent_dim``.
    attributes
        Genres and year of each item, float32 of shape (n_items, n_attributes).
    """

    users: Tensor
    items: Tensor
    deviations: Tensor
    positions: Tensor
    user_items: SegmentSum
    groups: Mapping[str, tuple[Tensor, SegmentIndex]]
    svd: tuple[Tensor, Tensor]
    attributes: Tensor

    @classmethod
    def of(cls, config: HybridVAEConfig, train: Ratings, mean: float) -> tuple[Self, TimeContext]:
        """Sort ``train``, whose mean rating is ``mean``; return the lookup of time contexts too."""
        timestamps = np.zeros(len(train), np.int64) if train.timestamps is None else train.timestamps
        order = np.lexsort((timestamps, train.users))
        ratings = train.take(order)
        time_lookup = TimeContext.of(config, ratings)
        users = torch.as_tensor(ratings.users.astype(np.int64))
        items = torch.as_tensor(ratings.items.astype(np.int64))
        by_user, by_item = SegmentIndex.of(users, train.n_users), SegmentIndex.of(items, train.n_items)
        features = item_features(train) if config.side_information else None
        attributes = np.zeros((train.n_items, 0), np.float32) if features is None else features.toarray()
        positions = np.empty(len(order), np.int64)
        positions[order] = np.arange(len(order))
        interactions = cls(
            users=users,
            items=items,
            deviations=torch.as_tensor(ratings.ratings.astype(np.float64) - mean),
            positions=torch.as_tensor(positions),
            user_items=SegmentSum.of(users, items, by_user, by_item),
            groups=_groups_of(ratings, time_lookup),
            svd=svd_init(ratings, max(config.n_factors, config.latent_dim)),
            attributes=torch.as_tensor(attributes),
        )
        return interactions, time_lookup

    def to(self, device: torch.device) -> TrainingInteractions:
        """Return the same on ``device``, or itself if it is there."""
        if self.users.device == device:
            return self
        return replace(
            self,
            users=self.users.to(device),
            items=self.items.to(device),
            deviations=self.deviations.to(device),
            positions=self.positions.to(device),
            user_items=self.user_items.to(device),
            groups={n: (group.to(device), by.to(device)) for n, (group, by) in self.groups.items()},
            svd=(self.svd[0].to(device), self.svd[1].to(device)),
            attributes=self.attributes.to(device),
        )


def _groups_of(ratings: Ratings, time_lookup: TimeContext) -> dict[str, tuple[Tensor, SegmentIndex]]:
    columns = time_lookup.columns(ratings.users, ratings.items, ratings.timestamps)
    groups = torch.as_tensor(columns.astype(np.int64))
    return {
        name: (groups[:, column], SegmentIndex.of(groups[:, column], time_lookup.n_groups(name)))
        for column, name in enumerate(time_lookup.names)
    }
