"""From ids as people write them to indices."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import I64
from movielens_recsys.recommender import UNKNOWN


def look_up_ids(ids: NDArray[np.generic], wanted: Iterable[object]) -> I64:
    """Return the index of each wanted id in an id map, `UNKNOWN` where it is not; compared as written.

    >>> look_up_ids(np.array([7, 12]), ["12", 7, "007"])
    array([ 1,  0, -1])
    """
    index = {str(value): position for position, value in enumerate(ids.tolist())}
    return np.array([index.get(str(value), UNKNOWN) for value in wanted], np.int64)
