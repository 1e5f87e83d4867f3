"""One rule for randomness: every stream is derived from the run's seed and the stream's purpose.

Streams with different purposes are independent, so adding a random choice in one place
leaves all others as they were. Data splits use `numpy.random.RandomState`, whose stream is frozen
for ever (NEP 19), so that a split is the same on every machine and numpy version.
"""

from __future__ import annotations

import zlib

import numpy as np


def derive_seed(seed: int, purpose: str) -> int:
    """Return the 63-bit seed of the stream ``purpose`` of a run seeded with ``seed``."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(purpose.encode())])
    return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Return numpy's generator for the stream ``purpose`` of a run seeded with ``seed``."""
    return np.random.Generator(np.random.PCG64(derive_seed(seed, purpose)))


def frozen_permutation(seed: int, n: int) -> np.ndarray:
    """Return a permutation of ``range(n)`` that no numpy release may change (legacy stream)."""
    return np.random.RandomState(seed).permutation(n)
