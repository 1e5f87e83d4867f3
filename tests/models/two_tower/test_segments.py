"""Weighted sums of rows against a dense matrix, gradients included."""

from __future__ import annotations

import torch

from movielens_recsys.models.two_tower.segments import SegmentIndex, SegmentSum


def test_sums_and_their_gradients_are_those_of_the_dense_product() -> None:
    generator = torch.Generator().manual_seed(0)
    bag = torch.randint(0, 7, (60,), generator=generator)
    row = torch.randint(0, 5, (60,), generator=generator)
    bag[bag == 3], row[row == 4] = 2, 0  # a bag without ratings, a row that none has
    weights = torch.rand(60, generator=generator)
    table = torch.randn(5, 4, generator=generator, requires_grad=True)
    dense = torch.zeros(7, 5).index_put((bag, row), weights, accumulate=True)
    bags = SegmentSum.of(bag, row, SegmentIndex.of(bag, 7), SegmentIndex.of(row, 5))
    for ours, matrix, rows in ((bags, dense, table), (bags.turned, dense.T, torch.randn(7, 3))):
        torch.testing.assert_close(ours.sum(rows, weights), matrix @ rows)
    weight = torch.randn(7, 4, generator=generator)
    (ours,) = torch.autograd.grad((bags.sum(table, weights) * weight).sum(), [table])
    (expected,) = torch.autograd.grad((dense @ table * weight).sum(), [table])
    torch.testing.assert_close(ours, expected)


def test_groups_are_summed_whether_they_lie_in_order_or_not() -> None:
    for group in (torch.tensor([0, 0, 2, 2]), torch.tensor([2, 0, 2, 0])):
        grouping = SegmentIndex.of(group, 4)
        expected = torch.zeros(4, dtype=torch.float64).index_add(
            0, group, torch.arange(4.0, dtype=torch.float64)
        )
        assert grouping.sum(torch.arange(4.0, dtype=torch.float64)).tolist() == expected.tolist()
