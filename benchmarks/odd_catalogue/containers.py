"""Files that are no text, by the name of a rating file: compressed, spreadsheets, databases, pictures."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import sqlite3
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from .case import COLUMNS, ROWS, Case, Kept, Refused, table

TEXT = table(ROWS).encode()
BOMB_BYTES = 400_000_000


def zipped(files: dict[str, bytes]) -> bytes:
    """Return a zip archive of files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def zstd(content: bytes) -> bytes:
    """Return a Zstandard frame that stores less than 256 bytes as they are."""
    return (
        b"\x28\xb5\x2f\xfd\x20"
        + bytes([len(content)])
        + (len(content) << 3 | 1).to_bytes(3, "little")
        + content
    )


def tarred(content: bytes) -> bytes:
    """Return a tar archive with one rating file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("ratings.csv")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def compressed() -> Iterator[Case]:
    """Yield compressed files, whole and cut, by several names: what they are is said, or they are read."""
    packed = {
        "gz": (gzip.compress(TEXT), "gzip"),
        "zip": (zipped({"ratings.csv": TEXT}), "zip"),
        "bz2": (bz2.compress(TEXT), "bzip2"),
        "xz": (lzma.compress(TEXT), "xz"),
        "zst": (zstd(TEXT), "Zstandard"),
        "tar": (tarred(TEXT), "tar"),
        "tgz": (gzip.compress(tarred(TEXT)), "gzip"),
        "lzma": (lzma.compress(TEXT, lzma.FORMAT_ALONE), ""),
    }
    for ending, (content, kind) in packed.items():
        right = (Refused((kind,)), Kept(ROWS))
        yield Case(f"{ending}, by its name", content, right, file=f"ratings.csv.{ending}", header_lines=None)
        yield Case(f"{ending}, named .csv", content, right, header_lines=None)
        yield Case(f"{ending}, named .parquet", content, right, file="ratings.parquet", header_lines=None)
        yield Case(
            f"{ending}, cut off",
            content[: len(content) * 2 // 3],
            (Refused(),),
            file=f"ratings.csv.{ending}",
            header_lines=None,
        )
    yield Case(
        "two files in a zip", zipped({"a.csv": TEXT, "b.csv": TEXT}), (Refused(("zip",)),), file="ratings.zip"
    )
    folder = zipped({"ml/": b"", "ml/ratings.csv": TEXT, "__MACOSX/ml/._ratings.csv": b"\0"})
    yield Case(
        "one file in a zip's folder",
        folder,
        (Kept(ROWS), Refused(("zip",))),
        file="ml.zip",
        header_lines=None,
    )
    table_of_numbers = io.BytesIO()
    pl.DataFrame(ROWS, schema=list(COLUMNS), orient="row").write_parquet(table_of_numbers)
    nested = (Refused(("Parquet",)), Refused(("gzip",)), Kept(ROWS))
    yield Case("Parquet in gz", gzip.compress(table_of_numbers.getvalue()), nested, file="ratings.parquet.gz")
    twice = gzip.compress(gzip.compress(TEXT))
    yield Case("gz in gz", twice, (Refused(("gzip",)), Kept(ROWS)), file="ratings.csv.gz", header_lines=None)
    members = gzip.compress(TEXT[:50]) + gzip.compress(TEXT[50:])
    yield Case("gz in two members", members, (Kept(ROWS),), file="ratings.csv.gz", header_lines=None)
    yield Case("gz with letters after it", gzip.compress(TEXT) + b"abc", (Refused(),), file="ratings.csv.gz")
    damaged = bytearray(gzip.compress(TEXT))
    damaged[20] ^= 0xFF
    yield Case("gz with a byte changed", bytes(damaged), (Refused(),), file="ratings.csv.gz")
    tabs = gzip.compress(table(ROWS, separator="\t", end="\r\n").encode("utf-16"))
    yield Case(
        "UTF-16 in gz", tabs, (Kept(ROWS), Refused(("gzip",))), file="ratings.tsv.gz", header_lines=None
    )
    yield Case("an empty zip", zipped({}), (Refused(),), file="ratings.zip")
    yield Case("gz of nothing", gzip.compress(b""), (Refused(),), file="ratings.csv.gz")
    yield Case("text, named .gz", TEXT, (Kept(ROWS), Refused()), file="ratings.csv.gz")
    for name, content in (("gz", _bomb()), ("zip", zipped({"ratings.csv": bytes(BOMB_BYTES // 4)}))):
        yield Case(f"a bomb, {name}", content, (Refused(),), file=f"ratings.csv.{name}")
        yield Case(f"a bomb, {name}, named .csv", content, (Refused(),))


def _bomb() -> bytes:
    """Return small bytes that become `BOMB_BYTES`: a gzip file may have many members."""
    member = gzip.compress(bytes(10_000_000))
    return member * (BOMB_BYTES // 10_000_000)


def other_formats() -> Iterator[Case]:
    """Yield files of other kinds: refused, with a word on the kind where the first bytes tell it."""
    frame = pl.DataFrame(dict(zip(COLUMNS, zip(*ROWS, strict=True), strict=True)))
    objects = [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]
    spreadsheet = zipped({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"})
    html = "<!DOCTYPE html>\n<html><head><title>404</title></head><body>user,item,rating</body></html>\n"
    pointer = (
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e\nsize 9\n"
    )
    array = io.BytesIO()
    np.save(array, np.arange(12.0).reshape(4, 3))
    ipc, avro = io.BytesIO(), io.BytesIO()
    frame.write_ipc(ipc)
    frame.write_avro(avro)
    for name, content, kind in (
        ("xlsx", spreadsheet, "Excel"),
        ("xls", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504), ""),
        ("SQLite", _database(), "SQLite"),
        ("JSON, a list", json.dumps(objects), "JSON"),
        ("JSON, indented", json.dumps(objects, indent=1), "JSON"),
        ("JSON, an object", json.dumps({"ratings": objects}), "JSON"),
        ("JSON, pandas", frame.write_json(), "JSON"),
        ("JSON lines", "".join(json.dumps(row) + "\n" for row in objects), "JSON"),
        ("JSON lines, arrays", "".join(json.dumps(row) + "\n" for row in ROWS), "JSON"),
        ("HTML", html, "HTML"),
        ("HTML, small letters", html.lower().split("\n", 1)[1], "HTML"),
        ("XML", '<?xml version="1.0"?>\n<ratings/>\n', "XML"),
        ("pickle", pickle.dumps(objects), ""),
        ("pickle, protocol 0", pickle.dumps(objects, protocol=0), ""),
        ("PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", ""),
        ("PNG", b"\x89PNG\r\n\x1a\n" + bytes(50), ""),
        ("JPEG", b"\xff\xd8\xff\xe0" + bytes(50), ""),
        ("HDF5", b"\x89HDF\r\n\x1a\n" + bytes(100), ""),
        ("NumPy", array.getvalue(), ""),
        ("Arrow", ipc.getvalue(), ""),
        ("Avro", avro.getvalue(), ""),
        ("ORC", b"ORC" + bytes(100), ""),
        ("MATLAB", b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(100), ""),
        ("a pointer of Git LFS", pointer, "git-lfs"),
        ("an e-mail", "From: a@b.org\nSubject: ratings\n\nsee attachment\n", ""),
        ("a script", "#!/bin/sh\nexit 0\n", ""),
        ("a program", b"\x7fELF" + bytes(200), ""),
        ("SQL", "INSERT INTO ratings VALUES (1,2,3,4);\n" * 3, ""),
        ("YAML", "- user: 1\n  item: 2\n  rating: 3\n", ""),
        ("random bytes", np.random.default_rng(0).bytes(4096), ""),
        ("prose", "Dear all,\nplease find my ratings.\n", ""),
    ):
        yield Case(name, content, (Refused((kind,)),), header_lines=None)
        if not isinstance(content, str):
            yield Case(f"{name}, named .parquet", content, (Refused(),), file="ratings.parquet")


def _database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ratings.db"
        connection = sqlite3.connect(path)
        connection.execute("create table ratings (user, item, rating, timestamp)")
        connection.executemany("insert into ratings values (?, ?, ?, ?)", ROWS)
        connection.commit()
        connection.close()
        return path.read_bytes()
