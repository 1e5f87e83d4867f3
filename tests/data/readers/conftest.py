"""Helpers of the readers' tests: small files written, and their columns."""

from pathlib import Path

import polars as pl
from tests.data.conftest import ROWS

from movielens_recsys.data.readers import RawData, read
from movielens_recsys.data.readers.layouts import file_layout, find_layout
from movielens_recsys.data.readers.options import ReadOptions

HEADER = "userId,movieId,rating,timestamp"


LINES = [f"{user},{item},{rating}.0,{time}" for user, item, rating, time in ROWS]


def rows_of(path: Path, columns: dict[str, str] | None = None) -> pl.DataFrame:
    return read(file_layout(path), ReadOptions(columns)).rows


def values(frame: pl.DataFrame) -> list[tuple[object, ...]]:
    return frame.select("user", "item", "rating", "timestamp").rows()


def read_folder(folder: Path) -> RawData:
    layout = find_layout(folder)
    assert layout is not None
    return read(layout)


def write(folder: Path, **files: bytes | str) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder
