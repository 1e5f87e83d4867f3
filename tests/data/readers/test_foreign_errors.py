"""What libraries raise on the bytes of a file is one line that names the file."""

import zlib
from pathlib import Path

import polars as pl
import pytest

from movielens_recsys.data.readers.foreign_errors import FOREIGN_ERRORS, mapped_errors
from movielens_recsys.errors import ReadError


def raised(kind: type[BaseException]) -> BaseException:
    if issubclass(kind, UnicodeError):
        return UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
    return kind("the reason\nand a backtrace")


@pytest.mark.parametrize("kind", [*FOREIGN_ERRORS, pl.exceptions.ComputeError, pl.exceptions.SchemaError])
def test_every_library_error_becomes_a_read_error(kind: type[BaseException]):
    with pytest.raises(ReadError, match=r"^a\.csv cannot be read: ") as caught, mapped_errors(Path("a.csv")):
        raise raised(kind)
    assert "backtrace" not in str(caught.value)
    assert isinstance(caught.value.__cause__, kind)


def test_want_of_memory_has_its_own_words():
    with pytest.raises(ReadError, match="does not fit into memory"), mapped_errors(Path("a.csv")):
        raise MemoryError


def test_the_libraries_raise_what_is_mapped():
    with pytest.raises(FOREIGN_ERRORS):
        zlib.decompress(b"no")
    with pytest.raises(FOREIGN_ERRORS):
        pl.read_parquet(b"no")


@pytest.mark.parametrize("kind", [KeyboardInterrupt, ReadError, AssertionError])
def test_anything_else_passes(kind: type[BaseException]):
    with pytest.raises(kind), mapped_errors(Path("a.csv")):
        raise kind("the reason")
