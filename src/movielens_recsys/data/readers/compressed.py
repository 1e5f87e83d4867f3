"""Compressed text files, unpacked in memory and within bounds."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from movielens_recsys.data.config import PACKED_SUFFIXES
from movielens_recsys.errors import ReadError, shorten

COMPRESSIONS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"PK\x03\x04": "zip"}
"""Kinds of compression by the first bytes of a file."""

MAX_RATIO = 200
"""Tables of ratings are packed to a fifth or a tenth; what grows this much is made to fill the memory."""
MAX_BYTES = 2**32
_SMALL = 2**24


def unpack(path: Path, compression: str) -> tuple[str, bytes]:
    """Return the name and the content of the one file in ``path``.

    Raises
    ------
    ReadError
        It grows beyond `MAX_RATIO` or `MAX_BYTES`, or the archive holds several files or a workbook.
    """
    name = path.stem if path.suffix.lower() in PACKED_SUFFIXES else path.name
    if compression == "zip":
        with zipfile.ZipFile(path) as archive:
            member = _only_member(path, archive)
            with archive.open(member) as file:
                return Path(member.filename).name, _bounded(path, file)
    opener: Callable[[Path], IO[bytes]] = {"gzip": gzip.GzipFile, "bzip2": bz2.BZ2File, "xz": lzma.LZMAFile}[
        compression
    ]
    with opener(path) as file:
        return name, _bounded(path, file)


def _only_member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not member.filename.startswith("__MACOSX/")
    ]
    names = [member.filename for member in members]
    if any(name.startswith("xl/") for name in names):
        raise ReadError(f"{path} is an Excel workbook (a zip archive)", next_step="save its sheet as CSV")
    if len(members) != 1:
        raise ReadError(
            f"{path} is a zip archive of {len(members)} files: {shorten(', '.join(names), 120)}",
            expected="one file",
            next_step="unpack it, and name the rating file or its folder",
        )
    if members[0].flag_bits & 1:
        raise ReadError(f"{path} is an encrypted zip archive", next_step="unpack it")
    return members[0]


def _bounded(path: Path, file: IO[bytes]) -> bytes:
    limit = min(MAX_BYTES, max(_SMALL, path.stat().st_size * MAX_RATIO))
    content = file.read(limit + 1)
    if len(content) > limit:
        raise ReadError(
            f"{path} unpacks to more than {limit / 2**20:,.0f} MiB",
            expected=f"at most {MAX_RATIO} times its size",
            next_step="unpack it yourself if you trust it",
        )
    return content
