"""Parquet cache of data sets, keyed by the content of their source files and checked when read.

An entry is a folder named by a hash over the SHA-256 of every source file, the readers' version and the
reading options. It appears by one rename and is never changed. ``manifest.json`` holds the checksum of
each file beside it; an entry that does not match is removed and built anew.

Hashing large sources takes seconds, so their hashes are remembered beside size and times of the file
(`Fingerprints`), and taken again when those change.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.readers import READER_VERSION
from movielens_recsys.data.readers.account import ReadingAccount
from movielens_recsys.data.readers.foreign_errors import mapped_errors
from movielens_recsys.data.scale import Scale
from movielens_recsys.errors import StorageError
from movielens_recsys.files import sync_path, write_atomically, write_durably
from movielens_recsys.schema import Finding

CACHE_VERSION = 1
_TABLES = ("item_table", "user_table", "tags")
_MIN_AGE_S = 2.0
"""A file changed so recently may change again within one tick of its clock: its hash is not remembered."""


class RatingsCache:
    """Reads and writes the entries under one folder; any number of processes may do so at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._fingerprints = Fingerprints(folder / "fingerprints")

    def key(self, files: Sequence[Path], reading: dict[str, Any]) -> str:
        """Return the entry's name for these source files, read with these options (plain JSON values)."""
        content = [[path.name, self._fingerprints.sha256(path)] for path in files]
        identity = [CACHE_VERSION, READER_VERSION, content, reading]
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()

    def load(self, key: str, name: str) -> Ratings | None:
        """Return the entry as ratings called ``name``, or None if it is missing or damaged (then removed)."""
        entry = self.folder / key
        if not entry.is_dir():
            return None
        try:
            manifest = json.loads((entry / "manifest.json").read_bytes())
            for file_name, checksum in manifest["files"].items():
                if _checksum(entry / file_name) != checksum:
                    raise ValueError(f"{file_name} is damaged")
            return _restore(entry, manifest, name)
        except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
            self._discard(entry)
            return None

    def store(self, key: str, ratings: Ratings) -> None:
        """Write the entry; if another process was faster, its equal entry stays."""
        self.folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=self.folder, prefix=f".{key[:16]}-"))
        try:
            _write(staging, ratings)
            staging.chmod(0o755)
            try:
                staging.rename(self.folder / key)
            except OSError:
                if not (self.folder / key).is_dir():
                    raise
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _discard(self, entry: Path) -> None:
        # Renamed first, so that no other process meets half an entry.
        discarded = Path(tempfile.mkdtemp(dir=self.folder, prefix=".damaged-"))
        try:
            entry.rename(discarded / "entry")
        except OSError:
            pass
        finally:
            shutil.rmtree(discarded, ignore_errors=True)


class Fingerprints:
    """SHA-256 of files, remembered for as long as path, size, inode and times stay the same."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def sha256(self, path: Path) -> str:
        """Return the hex SHA-256 of the file's bytes."""
        with mapped_errors(path):
            return self._sha256(path)

    def _sha256(self, path: Path) -> str:
        stat = path.stat()
        signature = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        note = self.folder / f"{hashlib.sha256(os.fsencode(path.resolve())).hexdigest()}.json"
        try:
            remembered = json.loads(note.read_bytes())
            if remembered["signature"] == signature:
                return str(remembered["sha256"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if time.time() - max(stat.st_mtime, stat.st_ctime) > _MIN_AGE_S:
            with contextlib.suppress(StorageError):
                write_atomically(note, json.dumps({"signature": signature, "sha256": digest}).encode())
        return digest


def _write(folder: Path, ratings: Ratings) -> None:
    columns: dict[str, np.ndarray[Any, Any]] = {
        "user": ratings.users,
        "item": ratings.items,
        "rating": ratings.ratings,
    }
    if ratings.timestamps is not None:
        columns["timestamp"] = ratings.timestamps
    frames = {"rows": pl.DataFrame(columns)}
    for name, ids in (("user_ids", ratings.user_ids), ("item_ids", ratings.item_ids)):
        frames[name] = pl.DataFrame({"id": ids.tolist() if ids.dtype == object else ids})
    for name in _TABLES:
        table: pl.DataFrame | None = getattr(ratings, name)
        if table is not None:
            frames[name] = table
    for name, frame in frames.items():
        frame.write_parquet(folder / f"{name}.parquet", compression="lz4", statistics=False)
    manifest = {
        "scale": asdict(ratings.scale),
        "implicit": ratings.implicit,
        "rows_read": ratings.rows_read,
        "rows_rejected": ratings.rows_rejected,
        "findings": [finding.to_json() for finding in ratings.findings],
        "account": ratings.account.to_json() if ratings.account else None,
        "items_account": ratings.items_account.to_json() if ratings.items_account else None,
        "content_hash": ratings.content_hash,
        "files": {path.name: _checksum(path) for path in sorted(folder.glob("*.parquet"))},
    }
    for path in folder.glob("*.parquet"):
        sync_path(path)
    write_durably(folder / "manifest.json", json.dumps(manifest, indent=1).encode())


def _restore(entry: Path, manifest: dict[str, Any], name: str) -> Ratings:
    rows = pl.read_parquet(entry / "rows.parquet")
    tables = {
        table: pl.read_parquet(entry / f"{table}.parquet")
        if f"{table}.parquet" in manifest["files"]
        else None
        for table in _TABLES
    }
    ratings = Ratings(
        name=name,
        users=rows["user"].to_numpy(),
        items=rows["item"].to_numpy(),
        ratings=rows["rating"].to_numpy(),
        timestamps=rows["timestamp"].to_numpy() if "timestamp" in rows.columns else None,
        user_ids=_ids(entry / "user_ids.parquet"),
        item_ids=_ids(entry / "item_ids.parquet"),
        scale=Scale(**manifest["scale"]),
        **tables,
        rows_read=manifest["rows_read"],
        rows_rejected=manifest["rows_rejected"],
        implicit=manifest.get("implicit", False),
        findings=tuple(Finding.from_json(values) for values in manifest["findings"]),
        account=_account(manifest["account"]),
        items_account=_account(manifest["items_account"]),
    )
    # Hashing the rows again would cost as much as reading them; the checksums above cover them.
    ratings.__dict__["content_hash"] = manifest["content_hash"]
    return ratings


def _account(values: dict[str, Any] | None) -> ReadingAccount | None:
    return None if values is None else ReadingAccount.from_json(values)


def _ids(path: Path) -> np.ndarray[Any, np.dtype[np.generic]]:
    ids = pl.read_parquet(path)["id"]
    return ids.to_numpy().astype(object) if ids.dtype == pl.String else ids.to_numpy()


def _checksum(path: Path) -> int:
    """Return the CRC-32 of a file: it finds decay and cut-off writes, ten times as fast as SHA-256."""
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(2**22):
            crc = zlib.crc32(chunk, crc)
    return crc
