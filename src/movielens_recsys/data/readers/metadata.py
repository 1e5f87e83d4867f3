"""Items, users and tags of the official layouts, as one table each.

Item tables have ``item_id, title, genres, year``; user tables ``user_id`` and the attributes that the
data set has; tag tables ``user_id, item_id, tag, timestamp``. Text is UTF-8 where it can be, else latin-1.
Ids are whole numbers where each comes back as it is written, else text, as those of ratings.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import polars as pl

from movielens_recsys.data.readers.foreign_errors import mapped_errors
from movielens_recsys.data.readers.layouts import Layout
from movielens_recsys.data.readers.values.ids import read_ids
from movielens_recsys.errors import ReadError, shorten

ITEM_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "item_id": pl.String,
    "title": pl.String,
    "genres": pl.List(pl.String),
    "year": pl.Int32,
}
USER_SCHEMA = {
    "user_id": pl.String,
    "age": pl.Int32,
    "gender": pl.String,
    "occupation": pl.String,
    "zip_code": pl.String,
}
TAG_SCHEMA = {"user_id": pl.String, "item_id": pl.String, "tag": pl.String, "timestamp": pl.Int64}
_YEAR_IN_TITLE = re.compile(r"\((\d{4})(?:[-–]\d{0,4})?\)\s*$")
NO_GENRES = {"", "(no genres listed)", "unknown"}
# ML-1M's README, in the order of its codes.
_OCCUPATIONS = (
    *("other", "academic/educator", "artist", "clerical/admin", "college/grad student"),
    *("customer service", "doctor/health care", "executive/managerial", "farmer", "homemaker"),
    *("K-12 student", "lawyer", "programmer", "retired", "sales/marketing", "scientist", "self-employed"),
    *("technician/engineer", "tradesman/craftsman", "unemployed", "writer"),
)

Item = tuple[str, str, list[str], int | None]
Reader = Callable[["TableLines"], Iterable[Sequence[object]]]


def read_items(layout: Layout) -> pl.DataFrame | None:
    """Return the item table of a data set, or None where its layout comes without one."""
    readers: dict[str, tuple[str, Reader]] = {
        "u.data": ("u.item", _pipe_items),
        "dat": ("movies.dat", _dat_items),
        "csv": ("movies.csv", _csv_items),
        "recbole": (".item", _recbole_items),
    }
    suffix, reader = readers.get(layout.name, ("", _dat_items))
    path = layout.table(suffix) if suffix else None
    if path is None:
        return None
    return _with_typed_ids(_read(reader, path, ITEM_SCHEMA)).sort("item_id", maintain_order=True)


def read_users(layout: Layout) -> pl.DataFrame | None:
    """Return the user table of a data set, or None where its layout comes without one."""
    suffixes = {"u.data": "u.user", "dat": "users.dat", "recbole": ".user"}
    path = layout.table(suffixes[layout.name]) if layout.name in suffixes else None
    if path is None:
        return None
    readers = {"u.data": _pipe_users, "dat": _dat_users, "recbole": _recbole_users}
    table = _read(readers[layout.name], path, USER_SCHEMA)
    return _with_typed_ids(table).sort("user_id", maintain_order=True)


def read_tags(layout: Layout) -> pl.DataFrame | None:
    """Return the tags of a data set as in its file, or None where it has none."""
    if layout.name == "dat" and (path := layout.table("tags.dat")) is not None:
        return _with_typed_ids(_read(_dat_tags, path, TAG_SCHEMA))
    if layout.name == "csv" and (path := layout.table("tags.csv")) is not None:
        try:
            frame = pl.read_csv(path, has_header=False, skip_rows=1, schema=TAG_SCHEMA)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, UnicodeDecodeError) as exc:
            raise _refusal(path, str(exc).split("\n")[0][:120]) from exc
        return _with_typed_ids(frame.with_columns(pl.col("tag").str.strip_chars()))
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


def _pipe_items(lines: TableLines) -> Iterator[Item]:
    genre_file = lines.path.with_name("u.genre")
    names = [line.rpartition("|")[0] for line in TableLines(genre_file)] if genre_file.is_file() else []
    for line in lines:
        item, title, released, _, _, *flags = line.split("|")
        genres = (name for name, flag in zip(names, flags, strict=bool(names)) if flag == "1")
        year = int(released[-4:]) if released[-4:].isdigit() else year_of(title)
        yield item, title.strip(), _genres(genres), year


def _dat_items(lines: TableLines) -> Iterator[Item]:
    for line in lines:
        item, rest = line.split("::", 1)
        title, genres = rest.rsplit("::", 1)
        yield item, title.strip(), _genres(genres.split("|")), year_of(title)


def _csv_items(lines: TableLines) -> Iterator[Item]:
    for row in lines.records():
        item, title, genres = row
        yield item, title.strip(), _genres(genres.split("|")), year_of(title)


def _recbole_items(lines: TableLines) -> Iterator[Item]:
    for line in islice(lines, 1, None):
        item, title, year, genres = line.split("\t")
        if year.isdigit():
            yield item, f"{title} ({year})", _genres(genres.split(" ")), int(year)
        else:
            yield item, "unknown", [], None


def _pipe_users(lines: TableLines) -> Iterator[Sequence[object]]:
    for line in lines:
        user, age, gender, occupation, zip_code = line.split("|")
        yield user, int(age), gender, occupation, zip_code


def _dat_users(lines: TableLines) -> Iterator[Sequence[object]]:
    for line in lines:
        user, gender, age, occupation, zip_code = line.split("::")
        yield user, int(age), gender, _OCCUPATIONS[int(occupation)], zip_code


def _recbole_users(lines: TableLines) -> Iterator[Sequence[object]]:
    for line in islice(lines, 1, None):
        user, age, gender, occupation, zip_code = line.split("\t")
        yield user, int(age), gender, occupation, zip_code


def _dat_tags(lines: TableLines) -> Iterator[Sequence[object]]:
    for line in lines:
        user, item, rest = line.split("::", 2)
        tag, time = rest.rsplit("::", 1)
        yield user, item, tag.strip(), int(time)


def _read(reader: Reader, path: Path, schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
    lines = TableLines(path)
    try:
        return pl.DataFrame(list(reader(lines)), schema=schema, orient="row")
    except (ValueError, IndexError, csv.Error) as exc:
        raise _refusal(path, f"line {lines.number}: {shorten(lines.text)!r}") from exc


def _with_typed_ids(table: pl.DataFrame) -> pl.DataFrame:
    ids = [table[name].str.strip_chars() for name in ("user_id", "item_id") if name in table.columns]
    return table.with_columns(read_ids(texts, texts.is_not_null(), texts.name).values for texts in ids)


def _refusal(path: Path, reason: str) -> ReadError:
    return ReadError(
        f"{path} is not laid out as its name promises ({reason})",
        expected="the file as GroupLens published it",
        next_step="fetch the data set again, or remove this file to do without it",
    )


def _text(path: Path) -> str:
    with mapped_errors(path):
        content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


class TableLines:
    """The lines of a table that are not blank; ``number`` (from 1) and ``text`` are those of the last one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 0
        self.text = ""

    def __iter__(self) -> Iterator[str]:
        """Give each line without its line end."""
        for number, line in enumerate(_text(self.path).split("\n"), start=1):
            if line.strip():
                self.number, self.text = number, line
                yield line

    def records(self) -> Iterator[list[str]]:
        """Give each record of a CSV file after the header; the number is that of its first line."""
        records = csv.reader(io.StringIO(_text(self.path), newline=""), strict=True)
        next(records, None)
        start = records.line_num + 1
        self.number = start
        for record in records:
            self.number, self.text = start, ",".join(record)
            if record:
                yield record
            self.number = start = records.line_num + 1
