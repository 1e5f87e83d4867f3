"""Variant ``attention``: attention over the ratings nearest in time, of the same user and of the same item.

The neighbors e of a pair at a timestamp are the ratings just before and after it, with their residuals beyond
biases and latents. They are weighted by the similarity of their item (or user) to the pair's and by the lag:

    weight_e = softmax_e((Q z) . (K z_e) / sqrt(d) + w . [log minutes, log days, whether later])
    feature = sum_e weight_e residual_e

A learned logit of "no neighbor" takes part in the softmax, so that a single poor neighbor does not get all of
the weight. Dot-product attention: Vaswani et al., 2017 (https://arxiv.org/abs/1706.03762).
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
from movielens_recsys.models.hybrid_vae_config import (
    ATTENTION_FEATURES,
    LAG_FEATURES,
    MATCH_DIM,
    HybridVAEConfig,
)

N_NEIGHBORS = 16
MINUTE_S, DAY_S = 60, 86_400
POSITION_COLUMNS = ("user_position", "item_position", "seconds")


@dataclass(frozen=True, eq=False)
class TemporalNeighbors:
    """Training ratings by user and timestamp, and by item and timestamp; each pair is of these two orders.

    Attributes
    ----------
    timelines
        Of the users and of the items.
    partners
        The item of each rating in the users' order; the user of each in the items' order.
    seconds
        Seconds since the first training rating, in both orders, int32.
    item_order
        The position in the users' order of each rating of the items' order.
    """

    timelines: tuple[RatingTimeline, RatingTimeline]
    partners: tuple[I64, I64]
    seconds: tuple[I32, I32]
    item_order: I64

    @classmethod
    def of(cls, ratings: Ratings) -> Self | None:
        """Sort training ratings given in any order; None without timestamps."""
        if ratings.timestamps is None:
            return None
        ratings = ratings.take(np.lexsort((ratings.timestamps, ratings.users)))
        assert ratings.timestamps is not None
        item_order = np.lexsort((ratings.timestamps, ratings.items))
        timelines = (
            RatingTimeline.of(ratings.users, ratings.timestamps, ratings.n_users),
            RatingTimeline.of(ratings.items, ratings.timestamps, ratings.n_items),
        )
        seconds = (ratings.timestamps - timelines[0].first_timestamp).astype(np.int32)
        partners = (ratings.items.astype(np.int64), ratings.users[item_order].astype(np.int64))
        return cls(
            timelines=timelines,
            partners=partners,
            seconds=(seconds, seconds[item_order]),
            item_order=item_order.astype(np.int64),
        )

    def columns(self, users: IntArray, items: IntArray, timestamps: I64 | None) -> I32:
        """Return where each pair would be in both orders, and when in seconds since the first rating.

        Shape (n, 3), columns `POSITION_COLUMNS`; -1 where not known.
        """
        if timestamps is None:
            return np.full((len(users), len(POSITION_COLUMNS)), -1, np.int32)
        columns = [
            np.where(
                owners < 0,
                -1,
                timeline.positions(owners, timestamps) + timeline.starts[np.maximum(owners, 0)],
            )
            for timeline, owners in zip(self.timelines, (users, items), strict=True)
        ]
        seconds = np.clip(timestamps - self.timelines[0].first_timestamp, 0, np.iinfo(np.int32).max)
        return np.stack([*columns, seconds], axis=1).astype(np.int32)

    def state(self) -> Arrays:
        """Return every array under its name in a bundle."""
        # "order", "moments", "others" and "times" are keys of older bundles.
        arrays: Arrays = {"order": self.item_order}
        for name, timeline, partners, seconds in zip(
            ("users", "items"), self.timelines, self.partners, self.seconds, strict=True
        ):
            arrays[f"{name}.first"] = np.array([timeline.first_timestamp])
            arrays[f"{name}.moments"] = timeline.packed_times
            arrays[f"{name}.starts"] = timeline.starts
            arrays[f"{name}.others"] = partners
            arrays[f"{name}.times"] = seconds
        return arrays

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild from `state`'s arrays."""
        users, items = (
            RatingTimeline(
                first_timestamp=int(state[f"{name}.first"][0]),
                packed_times=state[f"{name}.moments"].astype(np.int64),
                starts=state[f"{name}.starts"].astype(np.int64),
            )
            for name in ("users", "items")
        )
        return cls(
            timelines=(users, items),
            partners=(state["users.others"].astype(np.int64), state["items.others"].astype(np.int64)),
            seconds=(state["users.times"].astype(np.int32), state["items.times"].astype(np.int32)),
            item_order=state["order"].astype(np.int64),
        )


class _Timeline(NamedTuple):
    """One order of the ratings on the device: where each owner's begin, partners, and seconds."""

    starts: Tensor
    partners: Tensor
    seconds: Tensor


class Attention(nn.Module):
    """Attention over the user's neighboring ratings (number 0) and over the item's (number 1)."""

    def __init__(self, config: HybridVAEConfig, neighbors: TemporalNeighbors) -> None:
        super().__init__()
        self.neighbors = neighbors
        self.queries = nn.ModuleList(nn.Linear(config.latent_dim, MATCH_DIM, bias=False) for _ in range(2))
        self.keys = nn.ModuleList(nn.Linear(config.latent_dim, MATCH_DIM, bias=False) for _ in range(2))
        self.since = nn.ModuleList(nn.Linear(LAG_FEATURES, 1) for _ in range(2))
        self.empty = nn.Parameter(torch.ones(2))
        # Plain tensors, not buffers: the training ratings are saved once, with the recommender, and not
        # among the weights of every checkpoint.
        self._timelines: list[_Timeline] = []
        self._item_order = torch.empty(0)

    def forward(
        self,
        latents: tuple[Tensor, Tensor],
        pairs: tuple[Tensor, Tensor],
        positions: Tensor,
        residuals: Tensor,
    ) -> list[Tensor]:
        """Return each attention's weighted residual and the neighbors' share of the weight, 4 of shape (n,).

        Parameters
        ----------
        latents, pairs
            Of all users and of all items; and the indices of the pairs' users and items, shape (n,).
        positions
            The columns of `TemporalNeighbors`, shape (n, 3).
        residuals
            Of each training rating in the users' order, beyond biases and latents; NaN where masked.
        """
        # No timestamp is known when a whole catalogue is scored: no neighbors, and nothing to compute.
        if not bool((positions >= 0).any()):
            return [residuals.new_zeros(len(positions))] * ATTENTION_FEATURES
        self._load(residuals.device)
        residuals_by_order = (residuals, residuals[self._item_order])
        features = []
        for number, timeline in enumerate(self._timelines):
            # A user's neighboring ratings differ in their items, and the other way round: what is matched
            # is the latent of the partner.
            partner = 1 - number
            keys = self.keys[number](latents[partner])
            query = self.queries[number](latents[partner])[pairs[partner]]
            features += self._attend(
                number,
                timeline,
                query=query,
                keys=keys,
                owners=pairs[number],
                positions=positions,
                residuals=residuals_by_order[number],
            )
        return features

    def _attend(
        self,
        number: int,
        timeline: _Timeline,
        *,
        query: Tensor,
        keys: Tensor,
        owners: Tensor,
        positions: Tensor,
        residuals: Tensor,
    ) -> list[Tensor]:
        """Attend to each pair's neighbors in one order; ``query`` has shape (n, d), ``keys`` (n_rows, d)."""
        offsets = torch.arange(-N_NEIGHBORS // 2, N_NEIGHBORS // 2, device=residuals.device)
        index = positions[:, number, None] + offsets
        # A window of the sorted ratings may reach into those of the owners before and after.
        attended = (index >= timeline.starts[owners, None]) & (index < timeline.starts[owners + 1, None])
        attended &= positions[:, number, None] >= 0
        index = index.clamp(0, len(residuals) - 1)
        value = residuals[index]
        # Masked ratings are the targets of the batch: among them the pair itself, whose residual would give
        # away its rating. NaN marks them, because 0 is a residual like any other.
        attended &= ~value.isnan()
        elapsed = timeline.seconds[index] - positions[:, 2, None]
        lag = elapsed.abs().float()
        basis = torch.stack([(lag / MINUTE_S).log1p(), (lag / DAY_S).log1p(), (elapsed > 0).float()], dim=2)
        partners = timeline.partners[index].masked_fill(~attended, 0)
        similarity = (keys[partners] * query[:, None, :]).sum(2) / math.sqrt(MATCH_DIM)
        logits = (similarity + self.since[number](basis).squeeze(2)).masked_fill(~attended, -torch.inf)
        # With the logit of no neighbor a row is never all minus infinity, whose softmax is NaN.
        logits = torch.cat([logits, self.empty[number].expand(len(logits), 1)], dim=1)
        weights = torch.softmax(logits, dim=1)[:, :-1]
        # Weight 0 does not hide a NaN: 0 x NaN is NaN.
        return [(weights * value.nan_to_num()).sum(1), weights.sum(1)]

    def _load(self, device: torch.device) -> None:
        if self._item_order.device == device and self._timelines:
            return
        source = self.neighbors
        self._timelines = [
            _Timeline(*(torch.as_tensor(array, device=device) for array in (timeline.starts, *arrays)))
            for timeline, *arrays in zip(source.timelines, source.partners, source.seconds, strict=True)
        ]
        self._item_order = torch.as_tensor(source.item_order, device=device)
