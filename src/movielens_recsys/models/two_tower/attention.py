"""Variant ``attention``: a look at the ratings nearest in time, of the same user and of the same item.

For a pair at a moment, its neighbours e are the ratings just before and after it, with what the latents leave
of them. They are weighed by how like their item (or user) is to the pair's, and by how long ago they are:

    weight_e = softmax_e((Q z) . (K z_e) / sqrt(d) + w . [log minutes, log days, whether later])
    feature = sum_e weight_e left_e

An empty place with a learned logit takes its share, so that the sum is not carried by one poor neighbour.
Dot-product attention: Vaswani et al., 2017 (https://arxiv.org/abs/1706.03762).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from movielens_recsys.arrays import I32, I64, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import Arrays
from movielens_recsys.models.features.time_groups import RatingTimeline
from movielens_recsys.models.hybrid_vae_config import LAG_FEATURES, LOOK_FEATURES, MATCH_DIM, HybridVAEConfig

NEIGHBOURS = 16
MINUTE_S, DAY_S = 60, 86_400
PLACES = ("user_place", "item_place", "time")


@dataclass(frozen=True, eq=False)
class TemporalNeighbors:
    """Training ratings by user and time, and by item and time.

    Attributes
    ----------
    clocks
        Who rated when: of users, and of items.
    others
        The item of each rating in the users' order; the user of each in the items' order.
    times
        Seconds since the first rating, in both orders, int32.
    order
        Which rating of the users' order stands where in the items'.
    """

    clocks: tuple[RatingTimeline, RatingTimeline]
    others: tuple[I64, I64]
    times: tuple[I32, I32]
    order: I64

    @classmethod
    def of(cls, ratings: Ratings) -> Self | None:
        """Take training ratings in any order; None without times."""
        if ratings.timestamps is None:
            return None
        ratings = ratings.take(np.lexsort((ratings.timestamps, ratings.users)))
        assert ratings.timestamps is not None
        order = np.lexsort((ratings.timestamps, ratings.items))
        clocks = (
            RatingTimeline.of(ratings.users, ratings.timestamps, ratings.n_users),
            RatingTimeline.of(ratings.items, ratings.timestamps, ratings.n_items),
        )
        since = (ratings.timestamps - clocks[0].first_timestamp).astype(np.int32)
        others = (ratings.items.astype(np.int64), ratings.users[order].astype(np.int64))
        return cls(clocks, others, (since, since[order]), order.astype(np.int64))

    def places(self, users: IntArray, items: IntArray, timestamps: I64 | None) -> I32:
        """Return where each pair would stand in both orders, and when: shape (n, 3), -1 where not known."""
        if timestamps is None:
            return np.full((len(users), len(PLACES)), -1, np.int32)
        columns = [
            np.where(who < 0, -1, clock.positions(who, timestamps) + clock.starts[np.maximum(who, 0)])
            for clock, who in zip(self.clocks, (users, items), strict=True)
        ]
        since = np.clip(timestamps - self.clocks[0].first_timestamp, 0, np.iinfo(np.int32).max)
        return np.stack([*columns, since], axis=1).astype(np.int32)

    def state(self) -> Arrays:
        """Return every array by name."""
        arrays: Arrays = {"order": self.order}
        for name, clock, others, times in zip(
            ("users", "items"), self.clocks, self.others, self.times, strict=True
        ):
            arrays |= {
                f"{name}.first": np.array([clock.first_timestamp]),
                f"{name}.moments": clock.packed_times,
            }
            arrays |= {f"{name}.starts": clock.starts, f"{name}.others": others, f"{name}.times": times}
        return arrays

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild from `state`'s arrays."""
        users, items = (
            RatingTimeline(
                int(state[f"{name}.first"][0]),
                state[f"{name}.moments"].astype(np.int64),
                state[f"{name}.starts"].astype(np.int64),
            )
            for name in ("users", "items")
        )
        others = (state["users.others"].astype(np.int64), state["items.others"].astype(np.int64))
        times = (state["users.times"].astype(np.int32), state["items.times"].astype(np.int32))
        return cls((users, items), others, times, state["order"].astype(np.int64))


class _Side(NamedTuple):
    """One order's ratings on the device: edges of each owner, the others, times."""

    edges: Tensor
    others: Tensor
    times: Tensor


class Attention(nn.Module):
    """Both looks: at the user's neighbouring ratings, and at the item's."""

    def __init__(self, config: HybridVAEConfig, neighbourhood: TemporalNeighbors) -> None:
        super().__init__()
        self.neighbourhood = neighbourhood
        self.queries = nn.ModuleList(nn.Linear(config.latent_dim, MATCH_DIM, bias=False) for _ in range(2))
        self.keys = nn.ModuleList(nn.Linear(config.latent_dim, MATCH_DIM, bias=False) for _ in range(2))
        self.since = nn.ModuleList(nn.Linear(LAG_FEATURES, 1) for _ in range(2))
        self.empty = nn.Parameter(torch.ones(2))
        self._sides: list[_Side] = []
        self._order = torch.empty(0)

    def forward(
        self, latents: tuple[Tensor, Tensor], pairs: tuple[Tensor, Tensor], places: Tensor, left: Tensor
    ) -> list[Tensor]:
        """Return each look's sum and the share that neighbours have of its weight, four of shape (n,).

        Where no pair's time is known, as when a whole catalogue is scored, all are 0: nobody is near.

        Parameters
        ----------
        latents, pairs
            Of all users and of all items; and which of them the pairs are.
        places
            Of `Neighbourhood.places`, shape (n, 3).
        left
            What the latents leave of each rating in the users' order; not a number where it is left out.
        """
        if not bool((places >= 0).any()):
            return [left.new_zeros(len(places))] * LOOK_FEATURES
        self._move(left.device)
        in_order = (left, left[self._order])
        features = []
        for look, side in enumerate(self._sides):
            other = 1 - look
            table = self.keys[look](latents[other])
            query = self.queries[look](latents[other])[pairs[other]]
            features += self._attend(look, side, (query, table), pairs[look], places, in_order[look])
        return features

    def _attend(
        self,
        look: int,
        side: _Side,
        match: tuple[Tensor, Tensor],
        owner: Tensor,
        places: Tensor,
        left: Tensor,
    ) -> list[Tensor]:
        offsets = torch.arange(-NEIGHBOURS // 2, NEIGHBOURS // 2, device=left.device)
        place = places[:, look, None] + offsets
        known = (place >= side.edges[owner, None]) & (place < side.edges[owner + 1, None])
        known &= places[:, look, None] >= 0
        place = place.clamp(0, len(left) - 1)
        value = left[place]
        known &= ~value.isnan()
        elapsed = side.times[place] - places[:, 2, None]
        lag = elapsed.abs().float()
        basis = torch.stack([(lag / MINUTE_S).log1p(), (lag / DAY_S).log1p(), (elapsed > 0).float()], dim=2)
        query, table = match
        others = side.others[place].masked_fill(~known, 0)
        alike = (table[others] * query[:, None, :]).sum(2) / math.sqrt(MATCH_DIM)
        logits = (alike + self.since[look](basis).squeeze(2)).masked_fill(~known, -torch.inf)
        logits = torch.cat([logits, self.empty[look].expand(len(logits), 1)], dim=1)
        weights = torch.softmax(logits, dim=1)[:, :-1]
        return [(weights * value.nan_to_num()).sum(1), weights.sum(1)]

    def _move(self, device: torch.device) -> None:
        if self._order.device == device and self._sides:
            return
        around = self.neighbourhood
        self._sides = [
            _Side(*(torch.as_tensor(array, device=device) for array in (clock.starts, others, times)))
            for clock, others, times in zip(around.clocks, around.others, around.times, strict=True)
        ]
        self._order = torch.as_tensor(around.order, device=device)
