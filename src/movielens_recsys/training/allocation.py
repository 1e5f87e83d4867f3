"""Missing memory: what the allocators of Python, numpy and torch raise, as errors of this project."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from movielens_recsys.errors import TrainingError


@contextmanager
def allocation_errors(as_error: Callable[[str], TrainingError]) -> Iterator[None]:
    """Raise ``as_error(words)`` where memory is missing, with the allocator's words about it."""
    try:
        yield
    except (MemoryError, RuntimeError) as exc:
        words = (str(exc) or type(exc).__name__).splitlines()[0][:160]
        # torch's allocator of main memory raises a plain RuntimeError.
        if not isinstance(exc, MemoryError | torch.OutOfMemoryError) and "alloc" not in words:
            raise
        raise as_error(words) from exc
