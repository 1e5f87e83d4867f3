"""Ids are whatever identifies: whole numbers where each comes back as it is written, else text."""

from __future__ import annotations

import polars as pl

from movielens_recsys.data.readers.values.column import TypedColumn
from movielens_recsys.schema import Finding, Severity


def is_plain_whole(text: pl.Expr, number: pl.Expr) -> pl.Expr:
    """Return whether ``number``, the text cast to Int64, is written back as the same text."""
    padded = text.str.starts_with("0") | text.str.starts_with("+") | text.str.starts_with("-0")
    return (number.is_not_null() & ~padded) | (text == "0")


def read_ids(texts: pl.Series, counted: pl.Series, kind: str) -> TypedColumn:
    """Return ids, Int64 or String.

    Parameters
    ----------
    texts
        Without spaces around them, null where there is none.
    counted
        Which rows decide on the type: those that are not rejected for another reason.
    kind
        ``user`` or ``item``.
    """
    distinct = texts.filter(counted).drop_nulls().unique()
    if _whole(distinct).all():
        return TypedColumn(texts.cast(pl.Int64, strict=False), "whole numbers")
    # What pandas makes of whole numbers in a column with gaps.
    before_point = distinct.str.replace(r"^(.*)\.0+$", "$1")
    if (before_point != distinct).all() and _whole(before_point).all():
        numbers = texts.str.replace(r"^(.*)\.0+$", "$1").cast(pl.Int64, strict=False)
        return TypedColumn(numbers, "whole numbers, each written with a fraction of 0")
    return TypedColumn(texts, "text", _alike(distinct, kind))


def _whole(texts: pl.Series) -> pl.Series:
    frame = texts.to_frame("text")
    return frame.select(
        is_plain_whole(pl.col("text"), pl.col("text").cast(pl.Int64, strict=False))
    ).to_series()


def _alike(distinct: pl.Series, kind: str) -> tuple[Finding, ...]:
    """Count ids that are one number written in several ways: each stays an id of its own."""
    numbers = distinct.cast(pl.Float64, strict=False)
    # Beyond 2^53 different whole numbers are the same Float64.
    alike = distinct.filter(numbers.is_duplicated() & (numbers.abs() < 2**53).fill_null(False))
    if alike.is_empty():
        return ()
    first = alike.to_frame("text").with_columns(number=alike.cast(pl.Float64)).sort("number", "text")["text"]
    advice = (
        f"{len(alike)} {kind} ids are the same number written differently, such as {first[0]!r} and "
        f"{first[1]!r}; they are taken as different {kind}s"
    )
    return (Finding(f"{kind}_ids_alike", float(len(alike)), 0.0, Severity.WARNING, advice),)
