"""Columns as a reader gives them to the values' readers."""

import polars as pl

from movielens_recsys.data.readers.values.column import WrittenColumn


def written(*texts: str | None) -> WrittenColumn:
    """The texts of lines 2, 3 and so on of a file."""
    series = pl.Series("text", texts, dtype=pl.String)
    return WrittenColumn(series, series, pl.Series(range(2, len(texts) + 2)), "a.csv line")
