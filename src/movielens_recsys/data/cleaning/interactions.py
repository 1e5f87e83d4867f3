"""Implicit data: rows that say that something happened, such as a play or a click, and hold no rating."""

from __future__ import annotations

import polars as pl

from movielens_recsys.data.cleaning.rejections import Rejections
from movielens_recsys.data.scale import Scale
from movielens_recsys.schema import Column, Finding, Severity

INTERACTION_SCALE = Scale(0, 1, 1)
"""The scale of interactions, all of which are rated 1."""


def with_ratings(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with a rating of 1 in each row, if it has none."""
    if Column.RATING in frame.columns:
        return frame
    columns = [name for name in frame.columns if name != Column.TIMESTAMP]
    times = [Column.TIMESTAMP] if Column.TIMESTAMP in frame.columns else []
    return frame.select(*columns, pl.lit(1.0).alias(Column.RATING), *times)


def as_interactions(frame: pl.DataFrame, rejections: Rejections) -> tuple[pl.DataFrame, list[Finding]]:
    """Return the rows in which something happened, each rated 1, and a finding about what is lost.

    A number that is 0 or less, such as no plays, says that nothing happened: such rows are left out and
    counted. Other numbers say that something did, and not how much it was liked; they are no weights.
    """
    frame = rejections.exclude(frame, pl.col(Column.RATING) <= 0, "no_interaction")
    ones = frame.with_columns(pl.lit(1.0).alias(Column.RATING))
    n_values = frame[Column.RATING].n_unique()
    if n_values < 2:
        return ones, []
    advice = f"{n_values} different numbers were read as: it happened; how often or how much is not used"
    return ones, [Finding("interaction_counts_unused", float(n_values), None, Severity.INFO, advice)]
