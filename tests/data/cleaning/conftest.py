"""Helpers of the cleaning's tests: rows as a reader returns them."""

from __future__ import annotations

import polars as pl

from movielens_recsys.data.scale import Scale

WHOLE_STEPS = Scale(1, 5, 1)


HALF_STEPS = Scale(0.5, 5, 0.5)


NOW = 1_700_000_000


def frame(rows, *, ids=pl.Int64, timestamps=True):
    """A table of (user, item, rating, timestamp) rows, the first on line 2 as below a header."""
    schema = {"user": ids, "item": ids, "rating": pl.Float64, "timestamp": pl.Int64}
    table = pl.DataFrame(rows, schema=schema, orient="row").with_row_index("row", offset=2)
    table = table.with_columns(pl.col("row").cast(pl.Int64))
    return table if timestamps else table.drop("timestamp")


def findings(cleaned):
    return {finding.name: finding.value for finding in cleaned.findings}
