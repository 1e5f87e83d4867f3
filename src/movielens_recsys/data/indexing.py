"""From cleaned rows to `Ratings`: contiguous indices by sorted id, and tables in index order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from movielens_recsys.data.cleaning.rows import CleanedRows
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.readers import RawData
from movielens_recsys.schema import Column

_LOOKUP_PER_ROW = 4
"""Ids are indexed through an array over all possible ids, which is faster than a search, while that array has
at most this many places a row: memory follows the rows, whatever the ids are."""


def build_ratings(name: str, raw: RawData, cleaned: CleanedRows) -> Ratings:
    """Index users and items by sorted id, and put the tables in index order.

    The id maps hold only users and items with a rating. An id that its table does not hold gets a row
    of nulls.
    """
    frame = cleaned.frame
    user_ids, users = index_ids(frame[Column.USER])
    item_ids, items = index_ids(frame[Column.ITEM])
    times = frame[Column.TIMESTAMP].to_numpy() if Column.TIMESTAMP in frame.columns else None
    return Ratings(
        name=name,
        users=users,
        items=items,
        ratings=frame[Column.RATING].to_numpy().astype(np.float32),
        timestamps=times,
        user_ids=user_ids,
        item_ids=item_ids,
        scale=cleaned.scale,
        implicit=cleaned.implicit,
        item_table=_aligned(raw.items, "item_id", item_ids),
        user_table=_aligned(raw.users, "user_id", user_ids),
        tags=raw.tags,
        rows_read=raw.rows.frame.height,
        rows_rejected=sum(cleaned.rejected.values()),
        findings=(*raw.rows.findings, *cleaned.findings),
        account=replace(raw.rows.account, rejected=cleaned.rejected),
    )


def index_ids(ids: pl.Series) -> tuple[NDArray[np.generic], NDArray[np.int32]]:
    """Return the sorted distinct ids, shape (k,), and each row's position among them, int32, shape (n,).

    Text is sorted by code point, so the indices do not depend on the machine's locale.
    """
    if ids.dtype == pl.String:
        distinct = ids.unique().sort()
        index = ids.cast(pl.Enum(distinct)).to_physical().to_numpy().astype(np.int32)
        return distinct.to_numpy().astype(object), index
    values = ids.to_numpy()
    if values.size and values.min() >= 0 and values.max() < _LOOKUP_PER_ROW * values.size:
        present = np.zeros(int(values.max()) + 1, dtype=bool)
        present[values] = True
        lookup = np.cumsum(present, dtype=np.int32) - np.int32(1)
        return np.flatnonzero(present).astype(np.int64), lookup[values]
    known = ids.unique().sort().to_numpy()
    return known, np.searchsorted(known, values).astype(np.int32)


def _aligned(table: pl.DataFrame | None, key: str, ids: NDArray[np.generic]) -> pl.DataFrame | None:
    if table is None or ids.dtype.kind not in "iu":
        return None
    return pl.DataFrame({key: ids}).join(table, on=key, how="left", maintain_order="left")
