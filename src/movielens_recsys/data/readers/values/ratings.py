"""Ratings are numbers; a comma before the fraction is read where nothing else can be meant."""

from __future__ import annotations

from typing import Literal

import polars as pl

from movielens_recsys.data.readers.options import Decimal
from movielens_recsys.data.readers.values.column import TypedColumn, WrittenColumn
from movielens_recsys.errors import ReadError

_FORMS = {".": "numbers", ",": "numbers with decimal commas"}
_DECIMAL_COMMA = r"^[-+]?\d*,\d+$"


def _grouped(thousands: Literal[".", ","]) -> str:
    """Return the pattern of a number whose thousands are set apart."""
    decimal = "," if thousands == "." else r"\."
    sign = r"\." if thousands == "." else ","
    return rf"^[-+]?\d{{1,3}}(?:{sign}\d{{3}})+(?:{decimal}\d+)?$"


def finite_number(text: pl.Expr) -> pl.Expr:
    """Return the text cast to Float64; null where it is no finite number."""
    number = text.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def read_ratings(written: WrittenColumn, decimal: Decimal | None) -> TypedColumn:
    """Return ratings, Float64.

    Raises
    ------
    ReadError
        Commas or points may stand before fractions or between thousands, and ``decimal`` is not stated.
    """
    texts = written.texts
    if decimal is not None:
        return TypedColumn(_numbers(texts, decimal), _FORMS[decimal])
    numbers = texts.to_frame("text").select(finite_number(pl.col("text"))).to_series()
    others = texts.filter(numbers.is_null() & texts.is_not_null())
    points = texts.filter(numbers.is_not_null()).str.contains(".", literal=True)
    commas = others.filter(others.str.contains(_DECIMAL_COMMA))
    grouped = others.filter(others.str.contains(_grouped(".")) | others.str.contains(_grouped(",")))
    if not grouped.is_empty() and set(grouped) >= set(commas):
        raise ReadError(
            f"{written.where(grouped[0])}: the sign in the rating {grouped[0]!r} may stand before a fraction "
            "or between thousands",
            expected="ratings that can be read in one way",
            next_step="state the sign before fractions: --decimal , or --decimal .",
        )
    if commas.is_empty() or points.any():
        return TypedColumn(numbers, _FORMS["."])
    return TypedColumn(_numbers(texts, ","), _FORMS[","])


def _numbers(texts: pl.Series, decimal: Decimal) -> pl.Series:
    """Return numbers with a decimal sign, and the other sign between thousands, if at all."""
    text = pl.col("text")
    thousands: Literal[".", ","] = "," if decimal == "." else "."
    whole = pl.when(text.str.contains(_grouped(thousands))).then(
        text.str.replace_all(thousands, "", literal=True)
    )
    plain = pl.when(~text.str.contains(thousands, literal=True)).then(text)
    number = pl.coalesce(whole, plain).str.replace(decimal, ".", literal=True)
    return texts.to_frame("text").select(finite_number(number)).to_series()
