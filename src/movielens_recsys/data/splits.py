"""`Split`: which rows train, which choose, which judge; with the protocol that says so."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.data.config import AnySplitConfig
from movielens_recsys.data.ratings import Ratings

Part = Literal["train", "validation", "test"]


@dataclass(frozen=True, eq=False)
class Split:
    """Disjoint row numbers over one `Ratings`, ascending in each part, with the protocol that made them."""

    ratings: Ratings
    config: AnySplitConfig
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    def rows(self, part: Part) -> NDArray[np.int64]:
        """Return the row numbers of ``part``."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[part]

    def part(self, part: Part) -> Ratings:
        """Return the ratings of ``part`` alone; what is not in it cannot be read from it."""
        return self.ratings.take(self.rows(part))

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the row numbers of the three parts."""
        digest = hashlib.sha256()
        for rows in (self.train, self.validation, self.test):
            digest.update(len(rows).to_bytes(8, "little"))
            digest.update(rows.astype("<i8").tobytes())
        return digest.hexdigest()
