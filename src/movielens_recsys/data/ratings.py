"""`Ratings`: a columnar rating table with maps to the original ids."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from movielens_recsys.arrays import IntArray
from movielens_recsys.data.readers.account import ReadingAccount
from movielens_recsys.data.scale import Scale
from movielens_recsys.errors import DataError, shorten
from movielens_recsys.schema import Finding


@dataclass(frozen=True, eq=False)
class Ratings:
    """A columnar rating table over contiguous user and item indices, in the order of its file.

    Attributes
    ----------
    name
        Data set name, e.g. ``ml-100k``.
    users, items
        int32 indices, shape (n,), into ``user_ids`` and ``item_ids``.
    ratings
        float32, shape (n,), on ``scale``.
    timestamps
        int64 seconds since 1970 (UTC), shape (n,), or None where the file has none.
    user_ids, item_ids
        Original ids (int64, or str as an object array), sorted; position = index.
    scale
        The legal ratings.
    implicit
        Whether the rows are interactions without a rating: ``ratings`` are then 1, on ``Scale(0, 1, 1)``.
    item_table
        One row per item in index order, with what the data set has of ``item_id``, ``title`` (str),
        ``genres`` (list of str), ``year`` (int, release year, null if unknown); None if it has no titles.
    user_table
        One row per user in index order: ``user_id`` and attributes such as ``age``, ``gender``,
        ``occupation``, ``zip_code``; None if it has none.
    tags
        Columns ``user_id, item_id, tag, timestamp`` as in the file; None if it has none.
    rows_read, rows_rejected
        Rows of the source: read = kept (``len``) + rejected, exactly.
    findings
        What reading and cleaning the rows found (`movielens_recsys.data.cleaning.rows`).
    account
        What became of the lines and columns of the file; None for rows that come from none.
    items_account
        The same of a user's own table of items; None without one.
    """

    name: str
    users: NDArray[np.int32]
    items: NDArray[np.int32]
    ratings: NDArray[np.float32]
    timestamps: NDArray[np.int64] | None
    user_ids: NDArray[np.generic]
    item_ids: NDArray[np.generic]
    scale: Scale
    item_table: pl.DataFrame | None = None
    user_table: pl.DataFrame | None = None
    tags: pl.DataFrame | None = None
    rows_read: int = 0
    rows_rejected: int = 0
    implicit: bool = False
    findings: tuple[Finding, ...] = field(default=())
    account: ReadingAccount | None = None
    items_account: ReadingAccount | None = None

    def __len__(self) -> int:
        return len(self.ratings)

    def __repr__(self) -> str:
        times = "without" if self.timestamps is None else "with"
        size = f"{len(self):,} ratings, {self.n_users:,} users, {self.n_items:,} items"
        return f"Ratings({self.name!r}: {size}, {self.scale}, {times} timestamps)"

    @property
    def n_users(self) -> int:
        """Number of users of the id map, with or without ratings here."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Number of items of the id map, with or without ratings here."""
        return len(self.item_ids)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over the rows (original ids, rating, timestamp) in file order.

        The same rows give the same hash from every source, layout and cache; titles and other
        attributes do not count. Splits index rows, so the order of the rows counts. Interactions differ from
        ratings that are all 1.
        """
        digest = hashlib.sha256()
        for ids, index in ((self.user_ids, self.users), (self.item_ids, self.items)):
            if ids.dtype.kind in "iu":
                digest.update(b"int")
                digest.update(ids.astype("<i8")[index].tobytes())
            else:
                digest.update(b"str")
                digest.update("\0".join(str(value) for value in ids).encode())
                digest.update(index.astype("<i4").tobytes())
        digest.update(self.ratings.astype("<f4").tobytes())
        if self.timestamps is not None:
            digest.update(self.timestamps.astype("<i8").tobytes())
        if self.implicit:
            digest.update(b"implicit")
        return digest.hexdigest()

    def take(self, rows: IntArray) -> Ratings:
        """Return only ``rows``, over the same id maps.

        A model is fitted on this. It holds none of the other rows, and no tags: users also tag items
        whose ratings are held out.
        """
        return replace(
            self,
            users=self.users[rows],
            items=self.items[rows],
            ratings=self.ratings[rows],
            timestamps=None if self.timestamps is None else self.timestamps[rows],
            tags=None,
            rows_read=len(rows),
            rows_rejected=0,
            findings=(),
            account=None,
            items_account=None,
        )

    def in_stars(self) -> Ratings:
        """Return the ratings divided by the width of a star, see `Scale.star`."""
        star = self.scale.star
        if star == 1:
            return self
        return replace(self, ratings=self.ratings / np.float32(star), scale=self.scale.in_stars())

    def user_index(self, user_id: str | int) -> int:
        """Return the index of the user with this original id.

        Raises
        ------
        DataError
            There is none.
        """
        return self._index("user", self.user_ids, user_id)

    def item_index(self, item_id: str | int) -> int:
        """Return the index of the item with this original id.

        Raises
        ------
        DataError
            There is none.
        """
        return self._index("item", self.item_ids, item_id)

    def _index(self, kind: str, ids: NDArray[np.generic], wanted: str | int) -> int:
        text = str(wanted)
        if ids.dtype.kind not in "iu":
            found = np.flatnonzero(ids == text)
        else:
            found = (
                np.flatnonzero(ids == int(text)) if text.lstrip("-").isdecimal() else np.empty(0, np.int64)
            )
        if not len(found):
            some = ", ".join(str(value) for value in ids[:3])
            raise DataError(
                f"no {kind} {shorten(text)!r} in {self.name}",
                expected=f"the id of one of its {len(ids)} {kind}s, such as {some}",
                next_step=f"correct the {kind}'s id",
            )
        return int(found[0])

    def titles(self, items: IntArray) -> list[str]:
        """Return the items' titles, or their original ids where the data set has no titles."""
        if self.item_table is not None and "title" in self.item_table.columns:
            titles = self.item_table["title"]
            return [titles[int(item)] or str(self.item_ids[item]) for item in items]
        return [str(self.item_ids[item]) for item in items]
