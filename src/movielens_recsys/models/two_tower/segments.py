"""Sums over ratings: for each user of what they rated, for each item of who rated it, with gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, eq=False)
class SegmentIndex:
    """Ratings sorted by the group they belong to, so that every sum over a group has one order.

    Attributes
    ----------
    entries
        Which rating each place holds, int32; None where they lie in this order already.
    edges
        Where each group begins, and the end of the last, int64 of shape (n_groups + 1,).
    """

    entries: Tensor | None
    edges: Tensor

    @classmethod
    def of(cls, group: Tensor, n_groups: int) -> Self:
        """Take each rating's group, int64 of shape (n,)."""
        entries = torch.argsort(group, stable=True)
        edges = torch.searchsorted(group[entries], torch.arange(n_groups + 1))
        in_order = bool((entries[1:] > entries[:-1]).all())
        return cls(None if in_order else entries.int(), edges)

    def to(self, device: torch.device) -> SegmentIndex:
        """Return the same on ``device``."""
        entries = None if self.entries is None else self.entries.to(device)
        return SegmentIndex(entries, self.edges.to(device))

    def arrange(self, values: Tensor) -> Tensor:
        """Return ``values``, one for each rating, in the order of the groups."""
        return values if self.entries is None else values[self.entries]

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum of ``values``, shape (n,), in each group."""
        return torch.segment_reduce(self.arrange(values), "sum", offsets=self.edges, initial=0)


@dataclass(frozen=True, eq=False)
class SegmentSum:
    """For each rating a bag that it falls into and a row of a table: the rows of each bag are added up.

    That is the product of a sparse matrix and a dense one. The order of the sums is fixed, so that the same
    numbers give the same result, bit for bit, gradients included.
    """

    bags: SegmentIndex
    rows: SegmentIndex
    row_of: Tensor
    bag_of: Tensor

    @classmethod
    def of(cls, bag: Tensor, row: Tensor, bags: SegmentIndex, rows: SegmentIndex) -> Self:
        """Take each rating's bag and row, int64 of shape (n,), and the groupings by one and the other."""
        return cls(bags, rows, bags.arrange(row).int(), rows.arrange(bag).int())

    @property
    def turned(self) -> SegmentSum:
        """The same ratings with bags and rows exchanged."""
        return SegmentSum(self.rows, self.bags, self.bag_of, self.row_of)

    def to(self, device: torch.device) -> SegmentSum:
        """Return the same on ``device``."""
        rows, bags = self.rows.to(device), self.bags.to(device)
        return SegmentSum(bags, rows, self.row_of.to(device), self.bag_of.to(device))

    def sum(self, table: Tensor, weights: Tensor) -> Tensor:
        """Return the sum over each bag's ratings of weight x table row, shape (n_bags, width).

        ``table`` has shape (n_rows, width), ``weights`` (n,). No gradient goes to the weights.
        """
        summed: Tensor = _WeightedSum.apply(table, weights, self)  # type: ignore[no-untyped-call]
        return summed


class _WeightedSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, weights: Tensor, bags: SegmentSum) -> Tensor:
        ctx.weights, ctx.bags = weights, bags
        return _sum(table, bags.row_of, bags.bags, weights)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        bags = ctx.bags
        return _sum(gradient.contiguous(), bags.bag_of, bags.rows, ctx.weights), None, None


def _sum(table: Tensor, index: Tensor, grouping: SegmentIndex, weights: Tensor) -> Tensor:
    return functional.embedding_bag(
        index,
        table,
        grouping.edges.int(),
        mode="sum",
        per_sample_weights=grouping.arrange(weights),
        include_last_offset=True,
    )
