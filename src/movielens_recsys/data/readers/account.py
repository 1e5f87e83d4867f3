"""What became of a file: its lines, its columns, and what was left out or ignored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ColumnAccount:
    """One column that was read: ours, its name in the file, the form of its values, how many are empty."""

    column: str
    name: str
    form: str
    missing: int = 0


@dataclass(frozen=True, slots=True)
class ReadingAccount:
    """What became of a file.

    Attributes
    ----------
    form
        How the file is written, in words.
    lines, header_lines, blank_lines, row_lines
        Physical lines of a text file; lines = header + blank + those of rows, exactly. 0 for Parquet.
    columns
        The columns that were read.
    ignored
        The file's names for the others.
    rejected
        Number of rows left out, by reason.
    """

    form: str
    lines: int
    header_lines: int
    blank_lines: int
    row_lines: int
    columns: tuple[ColumnAccount, ...]
    ignored: tuple[str, ...] = ()
    rejected: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the account as plain JSON values."""
        return {**asdict(self), "columns": [asdict(column) for column in self.columns]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ReadingAccount:
        """Rebuild an account from `to_json`'s output."""
        columns = tuple(ColumnAccount(**column) for column in values["columns"])
        return cls(**{**values, "columns": columns, "ignored": tuple(values["ignored"])})
