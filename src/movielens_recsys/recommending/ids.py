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


def spelling_hint(ids: NDArray[np.generic], absent: Iterable[object]) -> str:
    """Return a question that names the first id that only zeros, spaces or capitals tell from an absent one.

    >>> spelling_hint(np.array([7, 12]), ["5", "007"]), spelling_hint(np.array([7]), ["8"])
    ("; written differently? the ratings have '7'", '')
    """
    bare = {_bare(value): str(value) for value in ids.tolist()}
    alike = next((bare[_bare(value)] for value in absent if _bare(value) in bare), None)
    return "" if alike is None else f"; written differently? the ratings have {alike!r}"


def _bare(value: object) -> str:
    return str(value).strip().casefold().lstrip("0")
