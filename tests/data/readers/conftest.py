"""Helpers of the readers' tests: small files written, and their columns."""

from pathlib import Path
from typing import Any

import polars as pl
from tests.data.conftest import ROWS

from movielens_recsys.data.readers import RawData, read, read_ratings
from movielens_recsys.data.readers.layouts import find_layout
from movielens_recsys.data.readers.options import ReadOptions

HEADER = "userId,movieId,rating,timestamp"


LINES = [f"{user},{item},{rating}.0,{time}" for user, item, rating, time in ROWS]


def rows_of(path: Path, **options: Any) -> pl.DataFrame:
    return read_ratings(path, ReadOptions(**options)).frame


def faults_of(path: Path, **options: Any) -> list[tuple[object, ...]]:
    return read_ratings(path, ReadOptions(**options)).faults.rows()


def forms_of(path: Path, **options: Any) -> dict[str, str]:
    return {
        column.column: column.form for column in read_ratings(path, ReadOptions(**options)).account.columns
    }


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
