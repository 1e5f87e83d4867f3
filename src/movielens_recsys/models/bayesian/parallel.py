"""Sharing compiled loops out among threads without the number of threads changing a figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

BLOCKS = 32
PAIRS_PER_BLOCK = 32_768


class ThreadPool:
    """As many threads as torch would use; entered, they exist, and BLAS uses one in each.

    What a block of rows is does not depend on the number of threads, nor does the order in which their
    answers come back.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(torch.get_num_threads())

    def __enter__(self) -> Self:
        self._limits = threadpool_limits(1, user_api="blas")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        self._limits.restore_original_limits()

    def over(self, bounds: Sequence[int], loop: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Call ``loop(first, last, *arguments)`` for each stretch of ``bounds``; answers come in order."""
        return list(self._pool.map(lambda stretch: loop(*stretch, *arguments), pairwise(bounds)))


def even_blocks(n: int) -> list[int]:
    """Return bounds that cut ``n`` pairs into blocks of `PAIRS_PER_BLOCK`."""
    return [*range(0, n, PAIRS_PER_BLOCK), n]


def balanced_blocks(starts: NDArray[np.int64]) -> list[int]:
    """Return bounds that cut rows into `BLOCKS` blocks of about as many ratings, where ``starts`` says
    which ratings are whose, shape (rows + 1,).
    """
    # A row costs its ratings and a Cholesky factor, which is worth a few dozen ratings.
    cost = starts + 32 * np.arange(len(starts))
    cuts = np.searchsorted(cost, np.linspace(0, cost[-1], BLOCKS + 1))
    return [int(cut) for cut in np.unique(np.r_[0, cuts, len(starts) - 1])]
