"""From cleaned rows to `Ratings`: contiguous indices by sorted id, and tables in index order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from movielens_recsys.data.cleaning.rows import CleanedRows
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.readers import RawData
from movielens_recsys.schema import Column, Finding, Severity

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
    item_table, item_findings = _aligned(raw.items, "item", item_ids)
    user_table, user_findings = _aligned(raw.users, "user", user_ids)
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
        item_table=item_table,
        user_table=user_table,
        tags=raw.tags,
        rows_read=raw.rows.frame.height,
        rows_rejected=sum(cleaned.rejected.values()),
        findings=(*raw.rows.findings, *cleaned.findings, *item_findings, *user_findings),
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


def _aligned(
    table: pl.DataFrame | None, kind: str, ids: NDArray[np.generic]
) -> tuple[pl.DataFrame | None, tuple[Finding, ...]]:
    """Return the first row of each id, in index order, and the finding that ids stand there twice."""
    if table is None:
        return None, ()
    key = f"{kind}_id"
    first = table.unique(key, keep="first", maintain_order=True)
    wanted = pl.DataFrame({key: ids if ids.dtype.kind in "iu" else pl.Series(ids.tolist(), dtype=pl.String)})
    if wanted.schema[key] == first.schema[key]:
        aligned = wanted.join(first, on=key, how="left", maintain_order="left")
    else:
        # Whole numbers on one side and text on the other: they are equal where they are written alike.
        written = pl.col(key).cast(pl.String).alias("written")
        others = first.with_columns(written).drop(key)
        aligned = wanted.with_columns(written).join(others, on="written", how="left", maintain_order="left")
        aligned = aligned.drop("written")
    repeated = table.height - first.height
    if not repeated:
        return aligned, ()
    advice = f"{repeated} rows of the table of {kind}s have the id of an earlier one, which is kept"
    return aligned, (Finding(f"{kind}_table_repeats", float(repeated), 0.0, Severity.WARNING, advice),)
