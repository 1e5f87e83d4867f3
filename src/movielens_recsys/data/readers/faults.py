"""Fields and rows that cannot be read: where they stand, why, and the text that stands there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from movielens_recsys.errors import shorten

_SCHEMA = {"row": pl.UInt32, "reason": pl.String, "found": pl.String}


class Fault(NamedTuple):
    """One row that cannot be read: its line, the reason by name, and what stands there."""

    row: int
    reason: str
    found: str


def fault_frame(faults: Iterable[Fault]) -> pl.DataFrame:
    """Return faults as a table with the columns ``row``, ``reason`` and ``found``."""
    return pl.DataFrame(
        [fault._replace(found=shorten(fault.found)) for fault in faults], schema=_SCHEMA, orient="row"
    )


def faults_where(rows: pl.Series, reason: str, bad: pl.Series, texts: pl.Series) -> pl.DataFrame:
    """Return a fault for each of ``rows`` that is ``bad``, with its text."""
    found = pl.DataFrame({"row": rows.filter(bad), "found": texts.filter(bad)})
    return found.select(
        pl.col("row").cast(pl.UInt32), reason=pl.lit(reason), found=pl.col("found").fill_null("")
    )
