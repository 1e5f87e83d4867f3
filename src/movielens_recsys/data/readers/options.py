"""How a rating file is written, as far as a caller states it; what is not stated, the content decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from movielens_recsys.errors import UsageError

Decimal = Literal[".", ","]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a caller states about a file; None leaves it to the content of the file.

    Attributes
    ----------
    columns
        Our names (user, item, rating, timestamp) to the file's; in a file without a header, to the numbers
        of its columns, from 1.
    separator
        The text between two fields.
    decimal
        The sign before the fraction of a rating.
    time_format
        How times are written: ``seconds``, ``milliseconds``, ``microseconds``, ``nanoseconds`` (since 1970),
        ``iso``, ``excel`` (days since 1899-12-30), or a format such as ``%d/%m/%Y``.
    header
        Whether the first line names the columns.
    implicit
        Whether a row is an interaction, such as a play or a click: then no rating is needed, and numbers
        above 0 in its place say only that it happened.
    unrated
        The number in the column of ratings that stands for "not rated".
    """

    columns: Mapping[str, str] | None = None
    separator: str | None = None
    decimal: Decimal | None = None
    time_format: str | None = None
    header: bool | None = None
    implicit: bool | None = None
    unrated: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no file can be written in.

        Raises
        ------
        UsageError
            The separator is empty or ends a line, or the decimal sign is another one.
        """
        if self.separator is not None and (not self.separator or {"\n", "\r"} & set(self.separator)):
            raise UsageError(
                f"{self.separator!r} separates no fields",
                expected="a text such as ';'",
                next_step="correct it",
            )
        if self.decimal not in {None, ".", ","}:
            raise UsageError(
                f"{self.decimal!r} is no decimal sign", expected="'.' or ','", next_step="correct it"
            )

    def to_json(self) -> dict[str, Any]:
        """Return what is stated, as plain JSON values."""
        stated = {name: getattr(self, name) for name in self.__dataclass_fields__}
        if self.columns is not None:
            stated["columns"] = dict(self.columns)
        return {name: value for name, value in stated.items() if value is not None}

    def filled_from(self, other: ReadOptions) -> ReadOptions:
        """Return these options, with what they leave open taken from ``other``."""
        return ReadOptions(**{**other.to_json(), **self.to_json()})


UNSTATED = ReadOptions()
"""Nothing is stated: the content of the file decides."""
