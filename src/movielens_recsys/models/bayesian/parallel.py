"""Threads for compiled loops, without the number of threads changing any result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from movielens_recsys.arrays import I64

N_BALANCED_BLOCKS = 32
PAIRS_PER_BLOCK = 32_768
ROW_COST = 32
"""What a row costs beside its ratings, in ratings: the Cholesky factor of its precision matrix."""


class ThreadPool:
    """As many threads as torch would use; inside the context BLAS uses one thread in each of them.

    Neither the division into blocks nor the order of the results depends on the number of threads.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(torch.get_num_threads())

    def __enter__(self) -> Self:
        # BLAS called from several threads would otherwise start as many threads in each of them.
        self._limits = threadpool_limits(1, user_api="blas")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        self._limits.restore_original_limits()

    def map_blocks(self, bounds: Sequence[int], loop: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Call ``loop(first, last, *arguments)`` for each block between ``bounds``; results are in order."""
        return list(self._pool.map(lambda block: loop(*block, *arguments), pairwise(bounds)))


def even_blocks(n: int) -> list[int]:
    """Return bounds that divide ``n`` ratings into blocks of `PAIRS_PER_BLOCK`."""
    return [*range(0, n, PAIRS_PER_BLOCK), n]


def balanced_blocks(starts: I64) -> list[int]:
    """Return bounds that divide rows into `N_BALANCED_BLOCKS` blocks of about the same cost.

    Row r has the ratings from ``starts[r]`` to ``starts[r + 1]``, shape (rows + 1,).
    """
    cost = starts + ROW_COST * np.arange(len(starts))
    cuts = np.searchsorted(cost, np.linspace(0, cost[-1], N_BALANCED_BLOCKS + 1))
    return [int(cut) for cut in np.unique(np.r_[0, cuts, len(starts) - 1])]
