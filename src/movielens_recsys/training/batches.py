"""Ratings as tensors on the training device, and their division into batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.networks.network import RatingNetwork
from movielens_recsys.training.weight_averaging import Pairs


@dataclass(frozen=True)
class RatingTensors:
    """Columns of ratings on one device, with the time context that the network derives from timestamps."""

    users: Tensor
    items: Tensor
    time_context: Tensor
    ratings: Tensor

    @classmethod
    def of(cls, ratings: Ratings, network: RatingNetwork, device: torch.device) -> RatingTensors:
        """Return the columns of ``ratings`` on ``device``."""
        return cls(
            torch.as_tensor(ratings.users.astype(np.int64), device=device),
            torch.as_tensor(ratings.items.astype(np.int64), device=device),
            network.time_context(ratings.users, ratings.items, ratings.timestamps).to(device),
            torch.as_tensor(ratings.ratings, device=device),
        )

    def __len__(self) -> int:
        return len(self.ratings)

    def at(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return users, items, time context and ratings of ``rows``."""
        return self.users[rows], self.items[rows], self.time_context[rows], self.ratings[rows]

    def pairs(self, size: int) -> Iterator[Pairs]:
        """Yield users and items of all rows in their order, as `split_batches` cuts them."""
        return zip(split_batches(self.users, size), split_batches(self.items, size), strict=True)


def split_batches(order: Tensor, size: int, min_rows: int = 2) -> list[Tensor]:
    """Cut ``order`` into batches of ``size`` rows.

    A last batch of fewer than ``min_rows`` rows joins the one before it: batch normalisation needs the
    variance of at least two rows on each rank.
    """
    batches = list(torch.split(order, size)) if len(order) else []
    if len(batches) > 1 and len(batches[-1]) < min_rows:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches
