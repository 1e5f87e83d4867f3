"""One column of a file: its fields as they are written, and as values."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from movielens_recsys.schema import Finding

GAPS = frozenset(
    {
        *("nan", "NaN", "NAN", "-nan", "NaT", "null", "NULL", "Null", "none", "None", "NONE"),
        *("NA", "N/A", "n/a", "#N/A", "<NA>", r"\N", "nil"),
    }
)
"""Words that stand for "no value" in files that databases and data frames write."""


@dataclass(frozen=True, eq=False)
class WrittenColumn:
    """The fields of a column as they are written.

    Attributes
    ----------
    texts
        Without spaces around them; null where they are empty or a word of `GAPS`.
    words
        The same with the words.
    rows
        Their line or row numbers.
    source
        The file and the unit of ``rows``, for messages.
    enclosed
        Whether quotation marks enclosed every field, which were taken off.
    """

    texts: pl.Series
    words: pl.Series
    rows: pl.Series
    source: str
    enclosed: bool = False

    def where(self, text: str) -> str:
        """Return the first place where ``text`` stands, such as ``ratings.csv line 3``."""
        position = self.texts.index_of(text)
        return self.source if position is None else f"{self.source} {self.rows[position]}"


@dataclass(frozen=True, eq=False)
class TypedColumn:
    """A column of values.

    Attributes
    ----------
    values
        Null where there is nothing, or nothing that can be read.
    form
        How the values are written, in words.
    findings
        What a user should know of them.
    """

    values: pl.Series
    form: str
    findings: tuple[Finding, ...] = field(default=())


def present_texts(texts: pl.Series) -> pl.Series:
    """Return texts, without spaces around them, with null where they are empty or a word of `GAPS`."""
    return texts.set((texts == "") | texts.is_in(sorted(GAPS)), None)


def without_quotes(texts: pl.Series) -> pl.Series:
    """Return texts without the quotation marks that enclose every one of them, if they do."""
    plain = texts.str.strip_chars().drop_nulls()
    enclosed = plain.str.contains(r'(?s)^".*"$') & (plain.str.len_bytes() > 1)
    if plain.is_empty() or not enclosed.all():
        return texts
    return texts.str.strip_chars().str.slice(1).str.head(-1)
