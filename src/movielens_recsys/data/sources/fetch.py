"""Fetching an official data set. Its sources, in the order in which they are tried:

1. ``NAME/`` in a folder of RECSYS_DATA_PATH;
2. the copy fetched before, under RECSYS_DATA;
3. GroupLens' archive over https, verified and unpacked;
4. for ML-100K alone, if GroupLens fails, the RecBole wheel through pip.

`fetch_from_file` takes an archive that is on this machine already.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from movielens_recsys.data.datasets import DatasetInfo, dataset_info
from movielens_recsys.data.readers.layouts import RATING_FILES, find_layout
from movielens_recsys.data.sources.archives import extract
from movielens_recsys.data.sources.downloads import download, fetch_text, parse_md5
from movielens_recsys.data.sources.pypi import extract_wheel, fetch_from_pypi
from movielens_recsys.errors import SourceError
from movielens_recsys.files import write_atomically
from movielens_recsys.locks import lock
from movielens_recsys.settings import Settings

Announce = Callable[[str], None]
_LOCK_PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a fetched folder came from: the address or file, and when (UTC, ISO 8601)."""

    source: str
    fetched_at: str


def announce_on_stderr(text: str) -> None:
    """Print a notice on standard error, apart from the output of a command."""
    print(text, file=sys.stderr)


def fetched_folder(name: str, settings: Settings) -> Path:
    """Return the folder of the fetched copy of a data set, whether or not it exists."""
    return settings.data / "sets" / name


def find_folder(name: str, settings: Settings) -> Path | None:
    """Return the folder of a data set that is already on this machine, or None."""
    info = dataset_info(name)
    candidates = [root / part for root in settings.data_folders for part in (name, info.archive_folder)]
    candidates.append(fetched_folder(name, settings))
    return next((folder for folder in candidates if find_layout(folder) is not None), None)


def origin(name: str, settings: Settings) -> Origin | None:
    """Return where the fetched copy came from, or None if it was not fetched by this package."""
    try:
        return Origin(**json.loads(_origin_file(name, settings).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def ensure_downloaded(
    name: str,
    settings: Settings,
    *,
    info: DatasetInfo | None = None,
    progress: bool = False,
    announce: Announce = announce_on_stderr,
) -> Path:
    """Return the folder of an official data set, fetching it if this machine has no copy.

    Parameters
    ----------
    name
        The name of an official data set.
    info
        Other details for this name, e.g. the address of a mirror.
    progress
        Draw a progress bar while downloading.
    announce
        Gets the terms of use and the citation when the data set is first fetched.

    Raises
    ------
    UnknownNameError
        No official data set has this name.
    SourceError
        No source gives the files; the message says what to do.
    """
    entry = info or dataset_info(name)
    found = find_folder(name, settings)
    if found is not None:
        return found
    return _fetch_once(entry, settings, announce, lambda folder: _fetch(entry, settings, folder, progress))


def fetch_from_file(
    name: str,
    path: Path,
    settings: Settings,
    *,
    info: DatasetInfo | None = None,
    announce: Announce = announce_on_stderr,
) -> Path:
    """Take an official data set from an archive (or, for ML-100K, a RecBole wheel) that is on this machine.

    Raises
    ------
    SourceError
        The file is missing, is not the published archive, or the data set was fetched before.
    """
    entry = info or dataset_info(name)
    if not path.is_file():
        raise SourceError(
            f"no file {path}", expected=f"the archive {entry.archive_folder}.zip from GroupLens"
        )
    destination = fetched_folder(name, settings)
    if find_layout(destination) is not None:
        raise SourceError(f"{name} is already at {destination}", next_step="delete that folder to replace it")

    def unpack(folder: Path) -> str:
        if path.suffix == ".whl" and entry.wheel is not None:
            extract_wheel(entry.wheel, path, folder)
        else:
            if entry.md5 is not None:
                _verify_md5(path, entry.md5)
            _extract_archive(entry, path, folder)
        return str(path.resolve())

    return _fetch_once(entry, settings, announce, unpack)


def _fetch_once(
    entry: DatasetInfo, settings: Settings, announce: Announce, fetch: Callable[[Path], str]
) -> Path:
    destination = fetched_folder(entry.name, settings)
    destination.parent.mkdir(parents=True, exist_ok=True)
    lock_file = destination.with_name(f".{entry.name}.lock")
    with lock(lock_file, _LOCK_PATIENCE_S, create=True) as held:
        if not held:
            raise SourceError(
                f"another process has been fetching {entry.name} for {_LOCK_PATIENCE_S:.0f} s",
                next_step="wait for it, or end it, and try again",
            )
        if find_layout(destination) is None:
            if destination.exists():
                shutil.rmtree(destination)
            _write_origin(entry.name, settings, fetch(destination))
            announce(entry.notice)
    return destination


def _fetch(entry: DatasetInfo, settings: Settings, folder: Path, progress: bool) -> str:
    try:
        return _fetch_from_grouplens(entry, settings, folder, progress)
    except SourceError as official:
        if entry.wheel is None:
            raise
        try:
            fetch_from_pypi(entry.wheel, folder)
        except SourceError as other:
            raise SourceError(
                f"{official.found}; the other source failed too: {other.found}", next_step=official.next_step
            ) from other
        return entry.wheel.requirement


def _fetch_from_grouplens(entry: DatasetInfo, settings: Settings, folder: Path, progress: bool) -> str:
    archive = settings.data / "archives" / f"{entry.name}.zip"
    md5 = entry.md5
    if md5 is None:
        md5 = parse_md5(fetch_text(f"{entry.url}.md5") or "")
    known_hash = None if md5 is None else f"md5:{md5}"
    try:
        download(entry.url, archive, known_hash=known_hash, size=entry.archive_bytes, progress=progress)
        _extract_archive(entry, archive, folder)
    finally:
        archive.unlink(missing_ok=True)
    return entry.url


def _extract_archive(entry: DatasetInfo, archive: Path, folder: Path) -> None:
    members = {f"{entry.archive_folder}/{name}": name for name in entry.files}
    extract(archive, folder, members, required=frozenset({RATING_FILES[entry.layout]}))


def _verify_md5(path: Path, expected: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found != expected:
        raise SourceError(
            f"{path.name} has MD5 {found}",
            expected=f"{expected}, GroupLens' checksum",
            next_step="download it again; it is cut off, or another file",
        )


def _origin_file(name: str, settings: Settings) -> Path:
    return settings.data / "sets" / f"{name}.json"


def _write_origin(name: str, settings: Settings, source: str) -> None:
    target = _origin_file(name, settings)
    record = {"source": source, "fetched_at": datetime.now(UTC).isoformat(timespec="seconds")}
    write_atomically(target, json.dumps(record).encode())
