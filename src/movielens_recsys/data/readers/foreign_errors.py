"""What other libraries raise while a file is read, as one `ReadError` that names the file."""

from __future__ import annotations

import csv
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from movielens_recsys.errors import ReadError

FOREIGN_ERRORS: tuple[type[BaseException], ...] = (
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,  # not an `Exception`: a panic in polars would pass every other handler
    UnicodeError,
    csv.Error,
    OSError,  # gzip.BadGzipFile is one
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    NotImplementedError,  # a zip archive packed by a method that Python does not know
)


@contextmanager
def mapped_errors(path: Path) -> Iterator[None]:
    """Map what libraries raise on the bytes of ``path``.

    Raises
    ------
    ReadError
        Instead of any of `FOREIGN_ERRORS`, and for want of memory.
    """
    try:
        yield
    except MemoryError as exc:
        raise ReadError(
            f"{path} does not fit into memory",
            next_step="free memory, or write it as Parquet with the columns that matter",
        ) from exc
    except FOREIGN_ERRORS as exc:
        reason = (getattr(exc, "strerror", None) or str(exc) or type(exc).__name__).strip().split("\n")[0]
        raise ReadError(
            f"{path} cannot be read: {reason[:160]}",
            next_step="check that the file is whole and can be opened",
        ) from exc
