"""Segment sums against a dense matrix, gradients included."""

from __future__ import annotations

import torch

from movielens_recsys.models.two_tower.segments import SegmentIndex, SegmentSum


def test_sums_and_their_gradients_equal_the_dense_product() -> None:
    generator = torch.Generator().manual_seed(0)
    segment = torch.randint(0, 7, (60,), generator=generator)
    row = torch.randint(0, 5, (60,), generator=generator)
    segment[segment == 3], row[row == 4] = 2, 0  # a segment without ratings, a table row that none names
    weights = torch.rand(60, generator=generator)
    table = torch.randn(5, 4, generator=generator, requires_grad=True)
    dense = torch.zeros(7, 5).index_put((segment, row), weights, accumulate=True)
    sums = SegmentSum.of(segment, row, SegmentIndex.of(segment, 7), SegmentIndex.of(row, 5))
    for index, matrix, rows in ((sums, dense, table), (sums.transposed, dense.T, torch.randn(7, 3))):
        torch.testing.assert_close(index.sum(rows, weights), matrix @ rows)
    by_output = torch.randn(7, 4, generator=generator)
    (gradient,) = torch.autograd.grad((sums.sum(table, weights) * by_output).sum(), [table])
    (expected,) = torch.autograd.grad((dense @ table * by_output).sum(), [table])
    torch.testing.assert_close(gradient, expected)


def test_sorted_and_unsorted_segments_have_the_same_sums() -> None:
    for segment in (torch.tensor([0, 0, 2, 2]), torch.tensor([2, 0, 2, 0])):
        index = SegmentIndex.of(segment, 4)
        expected = torch.zeros(4, dtype=torch.float64).index_add(
            0, segment, torch.arange(4.0, dtype=torch.float64)
        )
        assert index.sum(torch.arange(4.0, dtype=torch.float64)).tolist() == expected.tolist()
