"""Which files make up a data set, recognized by the names in its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

OfficialLayout = Literal["u.data", "dat", "csv"]
LayoutName = OfficialLayout | Literal["recbole", "table"]

RATING_FILES: Mapping[OfficialLayout, str] = MappingProxyType(
    {"u.data": "u.data", "dat": "ratings.dat", "csv": "ratings.csv"}
)
_TABLE_FILES: Mapping[OfficialLayout, tuple[str, ...]] = MappingProxyType(
    {
        "u.data": ("u.item", "u.genre", "u.user"),
        "dat": ("movies.dat", "users.dat", "tags.dat"),
        "csv": ("movies.csv", "tags.csv"),
    }
)


@dataclass(frozen=True, slots=True)
class Layout:
    """The rating file of a data set, its format, and the files with its items, users and tags.

    ``name`` is ``u.data`` (tabs), ``dat`` (``::``), ``csv``, ``recbole`` (tabs, typed header) or
    ``table`` (any CSV, TSV or Parquet file with named columns).
    """

    name: LayoutName
    ratings: Path
    tables: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that reading this layout opens."""
        return (self.ratings, *self.tables)

    def table(self, suffix: str) -> Path | None:
        """Return the table whose file name ends with ``suffix``, or None."""
        return next((path for path in self.tables if path.name.endswith(suffix)), None)


def find_layout(folder: Path) -> Layout | None:
    """Return the layout of a data set folder, or None if it holds no known rating file."""
    for name, file_name in RATING_FILES.items():
        ratings = folder / file_name
        if ratings.is_file():
            tables = (folder / table for table in _TABLE_FILES[name])
            return Layout(name, ratings, tuple(table for table in tables if table.is_file()))
    atomic = sorted(folder.glob("*.inter")) if folder.is_dir() else []
    return file_layout(atomic[0]) if len(atomic) == 1 else None


def file_layout(path: Path) -> Layout:
    """Return the layout of a single rating file, recognized by its name."""
    if path.suffix == ".inter":
        tables = (path.with_suffix(suffix) for suffix in (".item", ".user"))
        return Layout("recbole", path, tuple(table for table in tables if table.is_file()))
    if path.suffix == ".dat":
        return Layout("dat", path)
    if path.suffix in {".data", ".base", ".test"}:
        return Layout("u.data", path)
    return Layout("table", path)
