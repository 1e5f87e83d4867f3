"""Compressed files hold one rating file, within bounds."""

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pytest
from tests.data.conftest import ROWS
from tests.data.readers.conftest import HEADER, LINES, rows_of, values

from movielens_recsys.errors import ReadError

TEXT = "\n".join([HEADER, *LINES]).encode()


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv.gz", gzip.compress(TEXT)),
        ("a.csv.bz2", bz2.compress(TEXT)),
        ("a.csv.xz", lzma.compress(TEXT)),
        ("a.zip", zipped(ratings__csv=TEXT)),
        ("named-otherwise.csv", gzip.compress(TEXT)),
    ],
    ids=["gz", "bz2", "xz", "zip", "by content"],
)
def test_one_packed_file_is_read(tmp_path: Path, name: str, content: bytes):
    (tmp_path / name).write_bytes(content)
    assert values(rows_of(tmp_path / name)) == ROWS


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped(a__csv=TEXT, b__csv=TEXT), r"2 files: a\.csv, b\.csv; expected one file"),
        (zipped(**{"xl/workbook__xml": b"<x/>"}), "an Excel workbook"),
        (gzip.compress(bytes(2**25)), "unpacks to more than 16 MiB"),
        (gzip.compress(gzip.compress(TEXT)), "compressed twice, with gzip last"),
        (gzip.compress(TEXT)[:-10], "cannot be read"),
        (zipped(a__csv=TEXT)[:-30], "cannot be read"),
    ],
    ids=["two files", "workbook", "bomb", "twice", "cut gzip", "cut zip"],
)
def test_what_is_not_one_whole_file_is_refused(tmp_path: Path, content: bytes, words: str):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ReadError, match=words):
        rows_of(tmp_path / "a.csv")
