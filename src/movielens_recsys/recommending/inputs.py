"""Histories of new users and pairs to predict, read from files by the rules of rating files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from movielens_recsys.arrays import F32, I64
from movielens_recsys.data.cleaning.rejections import BadRows, Rejections
from movielens_recsys.data.cleaning.rows import clean_rows
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.readers import read_ratings
from movielens_recsys.data.readers.columns import TableKind, is_usual_name
from movielens_recsys.data.readers.options import UNSTATED, ReadOptions
from movielens_recsys.data.readers.rows import RawRows
from movielens_recsys.errors import ReadError, shorten
from movielens_recsys.recommender import UNKNOWN
from movielens_recsys.recommending.ids import look_up_ids, spelling_hint
from movielens_recsys.schema import Column, Finding, Severity

HISTORY = TableKind("a rating", (Column.ITEM, Column.RATING, Column.TIMESTAMP), (Column.ITEM,))
PAIRS = TableKind("a pair", (Column.USER, Column.ITEM, Column.TIMESTAMP), (Column.USER, Column.ITEM))
OF_MANY_USERS = {"ratings_all_equal", "ratings_mostly_lowest"}
"""Findings that say something about a data set, and nothing about the few ratings of one user."""
SHOWN = 5


@dataclass(frozen=True, eq=False)
class History:
    """A new user's ratings: item indices, int64, and ratings, float32, both of shape (n,), each item once.

    ``findings`` say what was left out and why.
    """

    items: I64
    ratings: F32
    findings: tuple[Finding, ...]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of users and items as the file has them, with their indices, int64 of shape (n,).

    ``frame`` has the columns user, item and, if the file has times, timestamp (seconds, null where there is
    none).
    """

    frame: pl.DataFrame
    users: I64
    items: I64
    findings: tuple[Finding, ...]


def read_history(
    path: Path, known: Ratings, options: ReadOptions = UNSTATED, *, bad_rows: BadRows = "refuse"
) -> History:
    """Read columns item and, if there are any, rating and timestamp; ``known`` has the ids and the scale.

    Without ratings, every item counts as rated with the highest one; of interactions, as one more. Of several
    ratings of an item the latest counts. Items outside the id map are left out and counted.

    Raises
    ------
    ReadError
        The file cannot be read, a rating is not on the scale, or a column of users has several.
    """
    raw = read_ratings(path, options, HISTORY)
    _require_one_user(path, options, raw)
    rejections = Rejections(bad_rows, str(path), raw.unit)
    frame = rejections.drop(raw.frame, raw.faults)
    rejections.require_any_row(frame, raw.frame.height)
    findings = list(rejections.findings)
    frame = frame.with_columns(pl.lit(0, pl.Int64).alias(Column.USER))
    if Column.RATING not in frame.columns and not known.implicit:
        frame = frame.with_columns(pl.lit(known.scale.maximum, pl.Float64).alias(Column.RATING))
        advice = f"there is no column of ratings: every item counts as rated {known.scale.maximum:g}"
        findings.append(Finding("ratings_missing", float(frame.height), None, Severity.INFO, advice))
    cleaned = clean_rows(
        frame,
        known.scale,
        implicit=known.implicit,
        bad_rows=bad_rows,
        source=str(path),
        unit=raw.unit,
    )
    items = look_up_ids(known.item_ids, cleaned.frame[Column.ITEM])
    inside = items != UNKNOWN
    outside = cleaned.frame[Column.ITEM].filter(pl.Series(~inside))
    if len(outside):
        some = ", ".join(map(str, outside[:SHOWN])) + (", ..." if len(outside) > SHOWN else "")
        hint = spelling_hint(known.item_ids, outside)
        advice = (
            f"{len(outside)} of {len(items)} items are not in the data set, and are left out: {some}{hint}"
        )
        findings.append(Finding("items_unknown", float(len(outside)), 0.0, Severity.WARNING, advice))
    ratings = cleaned.frame[Column.RATING].to_numpy().astype(np.float32)
    said = (finding for finding in cleaned.findings if finding.name not in OF_MANY_USERS)
    return History(items[inside], ratings[inside], (*findings, *raw.findings, *said))


def _require_one_user(path: Path, options: ReadOptions, raw: RawRows) -> None:
    """Refuse a file whose column of users, which is not read otherwise, has several."""
    item = next(column.name for column in raw.account.columns if column.column == Column.ITEM)
    for name in raw.account.ignored:
        if not is_usual_name(name, Column.USER):
            continue
        stated = replace(options, columns={Column.USER: name, Column.ITEM: item})
        counts = read_ratings(path, stated, PAIRS).frame[Column.USER].drop_nulls().value_counts(sort=True)
        if counts.height > 1:
            some = ", ".join(f"{user} ({count} rows)" for user, count in counts.head(SHOWN).iter_rows())
            more = ", ..." if counts.height > SHOWN else ""
            raise ReadError(
                f"{path} has the rows of {counts.height} users in the column {shorten(name)!r}: {some}{more}",
                expected="the rows of one user",
                next_step="keep the rows of one of them in the file",
            )


def read_pairs(
    path: Path, known: Ratings, options: ReadOptions = UNSTATED, *, bad_rows: BadRows = "refuse"
) -> Pairs:
    """Read columns user, item and, if there is one, timestamp; ``known`` has the ids.

    Raises
    ------
    ReadError
        The file cannot be read, or a row has no user or item.
    """
    raw = read_ratings(path, options, PAIRS)
    rejections = Rejections(bad_rows, str(path), raw.unit)
    frame = rejections.drop(raw.frame, raw.faults)
    return Pairs(
        frame.drop("row"),
        look_up_ids(known.user_ids, frame[Column.USER]),
        look_up_ids(known.item_ids, frame[Column.ITEM]),
        (*raw.findings, *rejections.findings),
    )
