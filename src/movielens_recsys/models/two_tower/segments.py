"""Sums over segments of ratings, such as a user's or an item's, with gradients and in a fixed order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, eq=False)
class SegmentIndex:
    """Ratings sorted by segment, so that every sum over a segment has one order.

    Attributes
    ----------
    order
        The rating at each position once sorted, int32; None where the ratings are sorted already.
    offsets
        Where each segment begins, and the end of the last, int64 of shape (n_segments + 1,).
    """

    order: Tensor | None
    offsets: Tensor

    @classmethod
    def of(cls, segment: Tensor, n_segments: int) -> Self:
        """Sort ratings by ``segment``, int64 of shape (n,)."""
        order = torch.argsort(segment, stable=True)
        offsets = torch.searchsorted(segment[order], torch.arange(n_segments + 1))
        is_sorted = bool((order[1:] > order[:-1]).all())
        return cls(None if is_sorted else order.int(), offsets)

    def to(self, device: torch.device) -> SegmentIndex:
        """Return the same on ``device``."""
        order = None if self.order is None else self.order.to(device)
        return SegmentIndex(order, self.offsets.to(device))

    def sort(self, values: Tensor) -> Tensor:
        """Return ``values``, one for each rating, in the order of the segments."""
        return values if self.order is None else values[self.order]

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum of ``values``, shape (n,), over each segment, shape (n_segments,)."""
        return torch.segment_reduce(self.sort(values), "sum", offsets=self.offsets, initial=0)


@dataclass(frozen=True, eq=False)
class SegmentSum:
    """The product of a sparse matrix and a dense table: each segment's weighted sum of table rows.

    Each rating belongs to a segment and names a row of a table. With the ratings of the users as segments and
    a table of item latents, that is a sum over each user's items.

    Attributes
    ----------
    by_segment, by_row
        The ratings sorted by segment and by table row.
    rows
        The table row of each rating, sorted by segment, int32 of shape (n,).
    segments
        The segment of each rating, sorted by table row, int32 of shape (n,).
    """

    by_segment: SegmentIndex
    by_row: SegmentIndex
    rows: Tensor
    segments: Tensor

    @classmethod
    def of(cls, segment: Tensor, row: Tensor, by_segment: SegmentIndex, by_row: SegmentIndex) -> Self:
        """Take each rating's segment and table row, int64 of shape (n,), and the ratings sorted by each."""
        return cls(
            by_segment=by_segment,
            by_row=by_row,
            rows=by_segment.sort(row).int(),
            segments=by_row.sort(segment).int(),
        )

    @property
    def transposed(self) -> SegmentSum:
        """The same ratings with segments and table rows exchanged."""
        return SegmentSum(
            by_segment=self.by_row, by_row=self.by_segment, rows=self.segments, segments=self.rows
        )

    def to(self, device: torch.device) -> SegmentSum:
        """Return the same on ``device``."""
        return SegmentSum(
            by_segment=self.by_segment.to(device),
            by_row=self.by_row.to(device),
            rows=self.rows.to(device),
            segments=self.segments.to(device),
        )

    def sum(self, table: Tensor, weights: Tensor) -> Tensor:
        """Return the sum over each segment's ratings of weight x table row, shape (n_segments, width).

        ``table`` has shape (n_rows, width), ``weights`` (n,). No gradient flows to the weights.
        """
        summed: Tensor = _WeightedSum.apply(table, weights, self)  # type: ignore[no-untyped-call]
        return summed


class _WeightedSum(torch.autograd.Function):
    """The sum with a deterministic gradient.

    The gradient by the table is the transposed sum: each table row collects from the segments that read it.
    Sorted by row, that is one more segment sum in a fixed order; scattering into the table with atomic
    additions would change the last digits from run to run on a GPU.
    """

    @staticmethod
    def forward(ctx: Any, table: Tensor, weights: Tensor, index: SegmentSum) -> Tensor:
        ctx.weights, ctx.index = weights, index
        return _sum(table, index.rows, index.by_segment, weights)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        index = ctx.index
        return _sum(gradient.contiguous(), index.segments, index.by_row, ctx.weights), None, None


def _sum(table: Tensor, rows: Tensor, segments: SegmentIndex, weights: Tensor) -> Tensor:
    # `embedding_bag` never writes out the (n_ratings, width) table of gathered rows.
    return functional.embedding_bag(
        rows,
        table,
        segments.offsets.int(),
        mode="sum",
        per_sample_weights=segments.sort(weights),
        include_last_offset=True,
    )
