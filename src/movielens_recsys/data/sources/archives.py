"""Extraction of named files from an untrusted archive: nothing outside the folder, nothing oversized."""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from movielens_recsys.errors import SourceError
from movielens_recsys.files import sync_path

MAX_FILE_BYTES = 4 * 2**30
MAX_RATIO = 200
_CHUNK_BYTES = 2**20


def extract(
    archive: Path,
    destination: Path,
    members: Mapping[str, str],
    *,
    required: frozenset[str] = frozenset(),
    max_file_bytes: int = MAX_FILE_BYTES,
) -> None:
    """Put the wanted members of a zip archive into ``destination``, all of them or nothing.

    Parameters
    ----------
    archive
        A zip file (a wheel is one).
    destination
        The folder to make; it must not exist yet. It appears complete, by one rename.
    members
        Path inside the archive -> plain file name in ``destination``. Other members stay packed.
    required
        File names of ``destination`` without which the archive is refused.
    max_file_bytes
        The largest that one unpacked file may be, in bytes.

    Raises
    ------
    SourceError
        The archive is damaged, holds an absolute path, ``..``, a link, the same name twice or a zip
        bomb, or lacks a required file. One such entry refuses the whole archive, in
        ``members`` or not.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=destination.parent, prefix=f".{destination.name}-"))
    try:
        with zipfile.ZipFile(archive) as packed:
            entries = _safe_entries(packed, archive.name)
            for member, file_name in members.items():
                if member in entries:
                    _unpack(packed, entries[member], staging / file_name, max_file_bytes)
        missing = sorted(name for name in required if not (staging / name).is_file())
        if missing:
            raise SourceError(
                f"{archive.name} does not hold {', '.join(missing)}",
                expected="the official archive",
                next_step="fetch it again",
            )
        staging.chmod(0o755)
        staging.rename(destination)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as exc:
        raise SourceError(
            f"{archive.name} is not a sound zip archive ({exc})",
            expected="the official archive",
            next_step="fetch it again",
        ) from exc
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _safe_entries(packed: zipfile.ZipFile, archive: str) -> dict[str, zipfile.ZipInfo]:
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in packed.infolist():
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        drive = len(path.parts) > 0 and path.parts[0].endswith(":")
        if path.is_absolute() or drive or ".." in path.parts:
            raise _unsafe(archive, entry, "points outside its folder")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise _unsafe(archive, entry, "is a link or a device")
        if entry.filename in entries:
            raise _unsafe(archive, entry, "is there twice")
        entries[entry.filename] = entry
    return entries


def _unpack(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, max_file_bytes: int) -> None:
    archive = Path(packed.filename or "archive").name
    allowed = min(max_file_bytes, max(entry.compress_size, 1024) * MAX_RATIO)
    written = 0
    with packed.open(entry) as source, target.open("xb") as out:
        while chunk := source.read(_CHUNK_BYTES):
            written += len(chunk)
            if written > allowed:
                raise _unsafe(archive, entry, f"unpacks to more than {allowed:,} bytes")
            out.write(chunk)
    sync_path(target)


def _unsafe(archive: str, entry: zipfile.ZipInfo, why: str) -> SourceError:
    return SourceError(
        f"{archive}: entry {entry.filename[:80]!r} {why}",
        expected="the official archive, which holds nothing of the kind",
        next_step="do not use this file; fetch it from GroupLens",
    )
