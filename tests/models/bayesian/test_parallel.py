"""Blocks of ratings and rows."""

from __future__ import annotations

import numpy as np

from movielens_recsys.models.bayesian.parallel import (
    PAIRS_PER_BLOCK,
    ROW_COST,
    ThreadPool,
    balanced_blocks,
    even_blocks,
)


def test_results_are_in_the_order_of_the_blocks() -> None:
    with ThreadPool() as threads:
        sums = threads.map_blocks(
            [0, 3, 3, 10], lambda first, last, values: values[first:last].sum(), np.arange(10)
        )
    assert sums == [3, 0, 42]


def test_blocks_cover_all_rows_at_about_the_same_cost() -> None:
    counts = np.random.default_rng(0).integers(1, 400, 5_000)
    starts = np.r_[0, np.cumsum(counts)]
    bounds = balanced_blocks(starts)
    assert bounds[0] == 0
    assert bounds[-1] == 5_000
    cost = np.add.reduceat(counts + ROW_COST, bounds[:-1])
    assert cost.max() < 1.1 * cost.mean()
    assert even_blocks(2 * PAIRS_PER_BLOCK + 1) == [
        0,
        PAIRS_PER_BLOCK,
        2 * PAIRS_PER_BLOCK,
        2 * PAIRS_PER_BLOCK + 1,
    ]


def test_a_single_row_is_one_block() -> None:
    assert balanced_blocks(np.array([0, 5])) == [0, 1]
