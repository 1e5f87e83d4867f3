"""What is repaired and always reported: missing times, and repeated ratings."""

from __future__ import annotations

import numpy as np
import polars as pl

from movielens_recsys.data.cleaning.rejections import ROW
from movielens_recsys.data.counted import counted
from movielens_recsys.data.sort_keys import dense_codes, duplicate_keys, pack_pairs
from movielens_recsys.schema import Column, Finding, Severity

DAY_S = 86_400


def repair_times(frame: pl.DataFrame, now: int) -> tuple[pl.DataFrame, list[Finding]]:
    """Return the frame with times, 0 where missing, and findings.

    A column of times without a single value is dropped. A time is in the future if it is more than a
    day after ``now`` (seconds since 1970); a day, because some exports write local time.
    """
    if Column.TIMESTAMP not in frame.columns:
        return frame, []
    times = frame[Column.TIMESTAMP]
    missing = times.null_count()
    if missing == len(times):
        return frame.drop(Column.TIMESTAMP), []
    seconds = times.fill_null(0) if missing else times
    findings = _time_findings(
        missing=missing,
        unset=int((seconds <= 0).sum()) - missing,
        future=int((seconds > now + DAY_S).sum()),
    )
    return (frame.with_columns(seconds) if missing else frame), findings


def drop_duplicates(
    frame: pl.DataFrame, *, implicit: bool = False
) -> tuple[pl.DataFrame, int, list[Finding]]:
    """Return the frame with only the latest rating of each (user, item), the rows dropped, and findings.

    The latest is the one with the highest time, among equal times the one on the last line. Of ``implicit``
    interactions, the earliest is kept.
    """
    keys = pack_pairs(dense_codes(frame[Column.USER]), dense_codes(frame[Column.ITEM]))
    values, _ = duplicate_keys(np.sort(keys))
    if not len(values):
        return frame, 0, []
    position = np.flatnonzero(pl.Series(keys).is_in(pl.Series(values).implode()).to_numpy())
    order = [Column.TIMESTAMP, ROW] if Column.TIMESTAMP in frame.columns else [ROW]
    superseded = (
        frame[position]
        .with_columns(key=keys[position], position=position)
        .sort("key", *order, descending=implicit)
        .filter(pl.col("key") == pl.col("key").shift(-1))
    )
    keep = np.ones(frame.height, dtype=bool)
    keep[superseded["position"].to_numpy()] = False
    return frame.filter(pl.Series(keep)), superseded.height, [_duplicates(superseded.height, implicit)]


def _duplicates(count: int, implicit: bool) -> Finding:
    if implicit:
        were = counted(count, "repeated interaction was", "repeated interactions were")
        advice = f"{were} merged with the first of the same user and item"
        return Finding("interactions_repeated", float(count), None, Severity.INFO, advice)
    were = "was" if count == 1 else "were"
    ratings = counted(count, "earlier rating", "earlier ratings")
    advice = f"{ratings} of the same user for the same item {were} left out"
    return Finding("rows_duplicate", float(count), 0.0, Severity.WARNING, advice)


def _time_findings(*, missing: int, unset: int, future: int) -> list[Finding]:
    advice = {
        "timestamps_missing": (missing, "taken as 0, so they come first wherever rows are ordered by time"),
        "timestamps_unset": (unset, "zero or before 1970; order by time is wrong for these rows"),
        "timestamps_in_future": (future, "in the future; check the unit and the clock that wrote them"),
    }
    return [
        Finding(name, float(count), 0.0, Severity.WARNING, f"{counted(count, 'time is', 'times are')} {text}")
        for name, (count, text) in advice.items()
        if count
    ]
