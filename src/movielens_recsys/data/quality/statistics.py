"""Statistics of a data set, as `recsys data describe` shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.data.ratings import Ratings

HISTOGRAM_BINS = 20


@dataclass(frozen=True, slots=True)
class DatasetStatistics:
    """Counts and distributions of one `Ratings`.

    ``density`` is the share of all user-item pairs that is rated. ``per_user`` and ``per_item`` are the
    minimum, quartiles and maximum of the number of ratings of users and items with any. ``first`` and
    ``last`` are ISO 8601 times (UTC), None without timestamps. ``histogram`` counts each legal rating, or
    the ratings by the middles of bins where there are more than `HISTOGRAM_BINS`.
    """

    name: str
    ratings: int
    users: int
    items: int
    density: float
    mean: float
    scale: tuple[float, float, float | None]
    histogram: dict[str, int]
    per_user: tuple[float, float, float, float, float]
    per_item: tuple[float, float, float, float, float]
    first: str | None
    last: str | None
    tables: tuple[str, ...]
    rows_read: int
    rows_rejected: int
    content_hash: str
    implicit: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the statistics as plain JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def dataset_statistics(ratings: Ratings) -> DatasetStatistics:
    """Return the statistics of ``ratings``."""
    scale = ratings.scale
    bins = scale.discretized(HISTOGRAM_BINS)
    counts = np.bincount(bins.level_of(ratings.ratings), minlength=bins.n_levels)
    first, last = _time_span(ratings.timestamps)
    tables = {"titles": ratings.item_table, "users": ratings.user_table, "tags": ratings.tags}
    return DatasetStatistics(
        name=ratings.name,
        ratings=len(ratings),
        users=ratings.n_users,
        items=ratings.n_items,
        density=len(ratings) / (ratings.n_users * ratings.n_items),
        mean=float(ratings.ratings.mean(dtype=np.float64)),
        scale=(scale.minimum, scale.maximum, scale.step),
        histogram={f"{level:g}": int(n) for level, n in zip(bins.levels, counts, strict=True)},
        per_user=_quartiles(ratings.users),
        per_item=_quartiles(ratings.items),
        first=first,
        last=last,
        tables=tuple(name for name, table in tables.items() if table is not None),
        rows_read=ratings.rows_read,
        rows_rejected=ratings.rows_rejected,
        content_hash=ratings.content_hash,
        implicit=ratings.implicit,
    )


def _quartiles(indices: NDArray[np.int32]) -> tuple[float, float, float, float, float]:
    counts = np.bincount(indices)
    low, lower, median, upper, high = np.percentile(counts[counts > 0], (0, 25, 50, 75, 100)).tolist()
    return low, lower, median, upper, high


def _time_span(timestamps: NDArray[np.int64] | None) -> tuple[str | None, str | None]:
    if timestamps is None:
        return None, None
    return _iso(int(timestamps.min())), _iso(int(timestamps.max()))


def _iso(seconds: int) -> str | None:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return None
