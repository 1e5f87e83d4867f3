"""Items, users and tags of the official layouts, as one table each.

Item tables have ``item_id, title, genres, year``; user tables ``user_id`` and the attributes that the
data set has; tag tables ``user_id, item_id, tag, timestamp``. Text is UTF-8 where it can be, else latin-1.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import polars as pl

from movielens_recsys.data.readers.layouts import Layout
from movielens_recsys.errors import ReadError

ITEM_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "item_id": pl.Int64,
    "title": pl.String,
    "genres": pl.List(pl.String),
    "year": pl.Int32,
}
USER_SCHEMA = {
    "user_id": pl.Int64,
    "age": pl.Int32,
    "gender": pl.String,
    "occupation": pl.String,
    "zip_code": pl.String,
}
TAG_SCHEMA = {"user_id": pl.Int64, "item_id": pl.Int64, "tag": pl.String, "timestamp": pl.Int64}
_YEAR_IN_TITLE = re.compile(r"\((\d{4})(?:[-–]\d{0,4})?\)\s*$")
NO_GENRES = {"", "(no genres listed)", "unknown"}
# ML-1M's README, in the order of its codes.
_OCCUPATIONS = (
    *("other", "academic/educator", "artist", "clerical/admin", "college/grad student"),
    *("customer service", "doctor/health care", "executive/managerial", "farmer", "homemaker"),
    *("K-12 student", "lawyer", "programmer", "retired", "sales/marketing", "scientist", "self-employed"),
    *("technician/engineer", "tradesman/craftsman", "unemployed", "writer"),
)

Item = tuple[int, str, list[str], int | None]
Row = TypeVar("Row")


def read_items(layout: Layout) -> pl.DataFrame | None:
    """Return the item table of a data set, or None where its layout comes without one."""
    readers: dict[str, tuple[str, Callable[[Path], Iterable[Item]]]] = {
        "u.data": ("u.item", _pipe_items),
        "dat": ("movies.dat", _dat_items),
        "csv": ("movies.csv", _csv_items),
        "recbole": (".item", _recbole_items),
    }
    suffix, reader = readers.get(layout.name, ("", _dat_items))
    path = layout.table(suffix) if suffix else None
    if path is None:
        return None
    rows = _numbered(reader, path)
    return (
        pl.DataFrame(rows, schema=ITEM_SCHEMA, orient="row").unique("item_id", keep="first").sort("item_id")
    )


def read_users(layout: Layout) -> pl.DataFrame | None:
    """Return the user table of a data set, or None where its layout comes without one."""
    suffixes = {"u.data": "u.user", "dat": "users.dat", "recbole": ".user"}
    path = layout.table(suffixes[layout.name]) if layout.name in suffixes else None
    if path is None:
        return None
    readers = {"u.data": _pipe_users, "dat": _dat_users, "recbole": _recbole_users}
    rows = _numbered(readers[layout.name], path)
    return (
        pl.DataFrame(rows, schema=USER_SCHEMA, orient="row").unique("user_id", keep="first").sort("user_id")
    )


def read_tags(layout: Layout) -> pl.DataFrame | None:
    """Return the tags of a data set as in its file, or None where it has none."""
    if layout.name == "dat" and (path := layout.table("tags.dat")) is not None:
        return pl.DataFrame(_numbered(_dat_tags, path), schema=TAG_SCHEMA, orient="row")
    if layout.name == "csv" and (path := layout.table("tags.csv")) is not None:
        try:
            frame = pl.read_csv(path, has_header=False, skip_rows=1, schema=TAG_SCHEMA)
        except (pl.exceptions.PolarsError, UnicodeDecodeError) as exc:
            raise _refusal(path, str(exc).split("\n")[0][:120]) from exc
        return frame.with_columns(pl.col("tag").str.strip_chars())
    return None


def year_of(title: str) -> int | None:
    """Return the release year that ends a title, the first one of a span.

    >>> year_of("Toy Story (1995)"), year_of("Fawlty Towers (1975-1979)"), year_of("Babylon 5")
    (1995, 1975, None)
    """
    found = _YEAR_IN_TITLE.search(title)
    return int(found[1]) if found else None


def _genres(names: Iterable[str]) -> list[str]:
    return [name.strip() for name in names if name.strip() not in NO_GENRES]


def _pipe_items(path: Path) -> Iterator[Item]:
    genre_file = path.with_name("u.genre")
    names = [line.rpartition("|")[0] for line in _lines(genre_file)] if genre_file.is_file() else []
    for line in _lines(path):
        item, title, released, _, _, *flags = line.split("|")
        genres = (name for name, flag in zip(names, flags, strict=bool(names)) if flag == "1")
        year = int(released[-4:]) if released[-4:].isdigit() else year_of(title)
        yield int(item), title.strip(), _genres(genres), year


def _dat_items(path: Path) -> Iterator[Item]:
    for line in _lines(path):
        item, rest = line.split("::", 1)
        title, genres = rest.rsplit("::", 1)
        yield int(item), title.strip(), _genres(genres.split("|")), year_of(title)


def _csv_items(path: Path) -> Iterator[Item]:
    for number, row in enumerate(csv.reader(io.StringIO(_text(path), newline=""), strict=True)):
        if number and row:
            item, title, genres = row
            yield int(item), title.strip(), _genres(genres.split("|")), year_of(title)


def _recbole_items(path: Path) -> Iterator[Item]:
    for line in _lines(path)[1:]:
        item, title, year, genres = line.split("\t")
        if year.isdigit():
            yield int(item), f"{title} ({year})", _genres(genres.split(" ")), int(year)
        else:
            yield int(item), "unknown", [], None


def _pipe_users(path: Path) -> Iterator[Sequence[object]]:
    for line in _lines(path):
        user, age, gender, occupation, zip_code = line.split("|")
        yield int(user), int(age), gender, occupation, zip_code


def _dat_users(path: Path) -> Iterator[Sequence[object]]:
    for line in _lines(path):
        user, gender, age, occupation, zip_code = line.split("::")
        yield int(user), int(age), gender, _OCCUPATIONS[int(occupation)], zip_code


def _recbole_users(path: Path) -> Iterator[Sequence[object]]:
    for line in _lines(path)[1:]:
        user, age, gender, occupation, zip_code = line.split("\t")
        yield int(user), int(age), gender, occupation, zip_code


def _dat_tags(path: Path) -> Iterator[Sequence[object]]:
    for line in _lines(path):
        user, item, rest = line.split("::", 2)
        tag, time = rest.rsplit("::", 1)
        yield int(user), int(item), tag.strip(), int(time)


def _numbered(reader: Callable[[Path], Iterable[Row]], path: Path) -> list[Row]:
    rows: list[Row] = []
    try:
        rows.extend(reader(path))
    except (ValueError, IndexError, csv.Error) as exc:
        raise _refusal(path, f"entry {len(rows) + 1}: {exc}") from exc
    return rows


def _refusal(path: Path, reason: str) -> ReadError:
    return ReadError(
        f"{path} is not laid out as its name promises ({reason})",
        expected="the file as GroupLens published it",
        next_step="fetch the data set again, or remove this file to do without it",
    )


def _text(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _lines(path: Path) -> list[str]:
    return [line.rstrip("\r") for line in _text(path).split("\n") if line.strip()]
