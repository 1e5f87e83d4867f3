"""Quality checks of a rating table: sparse users and items, missing attributes, suspicious users."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from movielens_recsys.data.counted import counted
from movielens_recsys.data.quality.suspicious_users import constant_raters, random_raters, suspicious_timing
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import MAX_LEVELS
from movielens_recsys.schema import Finding, Severity


def check_ratings(ratings: Ratings, *, min_user_ratings: int = 5, min_item_ratings: int = 2) -> list[Finding]:
    """Return findings on ``ratings`` that matter for training and evaluation; nothing is changed.

    The findings of `clean_rows` are in ``ratings.findings`` and not repeated here.

    Parameters
    ----------
    min_user_ratings, min_item_ratings
        Users and items with fewer ratings than this (but at least one) are counted. The defaults, 5
        and 2, mark what is too sparse to learn from; MovieLens itself keeps users with 20 or more.

    Notes
    -----
    A suspicious user is a hint, not a proof: `suspicious_users` states each threshold and its share of
    false positives among real MovieLens users.
    """
    if not len(ratings):
        return [Finding("no_ratings", 0.0, 1.0, Severity.ERROR, "there is nothing to learn from")]
    found = [
        _density(ratings),
        _below_minimum("users", ratings.users, ratings.n_users, min_user_ratings, Severity.WARNING),
        _below_minimum("items", ratings.items, ratings.n_items, min_item_ratings, Severity.INFO),
        *_never_rated(ratings),
        _without_attributes("users", ratings.users, ratings.user_table, "user_id"),
        _without_attributes("items", ratings.items, ratings.item_table, "item_id"),
        *_id_gaps(ratings),
        _unused_levels(ratings),
        _no_times(ratings),
        *suspicious_timing(ratings),
        *([] if ratings.implicit else [constant_raters(ratings), random_raters(ratings)]),
    ]
    return [finding for finding in found if finding is not None]


def _density(ratings: Ratings) -> Finding:
    share = len(ratings) / (ratings.n_users * ratings.n_items)
    advice = f"{len(ratings)} of {ratings.n_users} x {ratings.n_items} possible ratings are known"
    return Finding("density", share, None, Severity.INFO, advice)


def _below_minimum(
    kind: str, indices: NDArray[np.int32], n: int, minimum: int, severity: Severity
) -> Finding | None:
    counts = np.bincount(indices, minlength=n)
    sparse = int(((counts > 0) & (counts < minimum)).sum())
    if not sparse:
        return None
    have, their = ("has", "its") if sparse == 1 else ("have", "their")
    advice = (
        f"{_of_kind(sparse, kind)} {have} fewer than {minimum} ratings; {their} metrics mostly measure the "
        "fallback"
    )
    threshold = 0.0 if severity is Severity.WARNING else None
    return Finding(f"{kind}_below_minimum", float(sparse), threshold, severity, advice)


def _of_kind(number: int, kind: str) -> str:
    """Return a number of ``users`` or ``items``."""
    return counted(number, kind.removesuffix("s"), kind)


def _never_rated(ratings: Ratings) -> list[Finding]:
    findings = []
    for kind, indices, n in (
        ("users", ratings.users, ratings.n_users),
        ("items", ratings.items, ratings.n_items),
    ):
        unrated = n - int(np.count_nonzero(np.bincount(indices, minlength=n)))
        if unrated:
            are = "is" if unrated == 1 else "are"
            advice = (
                f"{_of_kind(unrated, kind)} {are} listed without a rating; only side information "
                "distinguishes them"
            )
            findings.append(Finding(f"{kind}_never_rated", float(unrated), None, Severity.INFO, advice))
    return findings


def _without_attributes(
    kind: str, indices: NDArray[np.int32], table: pl.DataFrame | None, id_column: str
) -> Finding | None:
    """Count users or items with ratings whose row in the table holds no attribute at all."""
    attributes = [] if table is None else [name for name in table.columns if name != id_column]
    if table is None or not attributes:
        return None
    blank = table.select(pl.all_horizontal(pl.col(attributes).is_null())).to_series().to_numpy()
    orphans = int((blank & (np.bincount(indices, minlength=len(blank)) > 0)).sum())
    if not orphans:
        return None
    are = "is" if orphans == 1 else "are"
    advice = (
        f"{_of_kind(orphans, kind)} of the ratings {are} missing in the table of {kind}; is it of the same "
        "edition?"
    )
    return Finding(f"{kind}_without_attributes", float(orphans), 0.0, Severity.WARNING, advice)


def _id_gaps(ratings: Ratings) -> list[Finding]:
    findings = []
    for kind, ids in (("user", ratings.user_ids), ("item", ratings.item_ids)):
        if ids.dtype.kind not in "iu":
            continue
        low, high = int(ids[0]), int(ids[-1])
        unused = high - low + 1 - len(ids)
        if unused:
            advice = f"{kind} ids run from {low} to {high} with gaps; harmless, indices are contiguous"
            findings.append(Finding(f"{kind}_id_gaps", float(unused), None, Severity.INFO, advice))
    return findings


def _unused_levels(ratings: Ratings) -> Finding | None:
    scale = ratings.scale
    if ratings.implicit or scale.continuous or scale.n_levels > MAX_LEVELS:
        return None  # of a fine scale most levels are never given
    levels = scale.n_levels
    used = len(np.unique(scale.level_of(ratings.ratings)))
    if used >= levels:
        return None
    advice = f"{levels - used} of the {levels} ratings of the scale were never given; is it the right scale?"
    return Finding("scale_share_unused", 1 - used / levels, 0.0, Severity.WARNING, advice)


def _no_times(ratings: Ratings) -> Finding | None:
    if ratings.timestamps is not None:
        return None
    advice = "without times only random and k-fold splits are possible; they overestimate accuracy"
    return Finding("no_timestamps", 1.0, 0.0, Severity.WARNING, advice)
