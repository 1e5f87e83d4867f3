"""Writing to disk: whole or not at all, and on the disk before anything relies on it.

Each function here returns once the bytes are on the disk (``fsync``), so that they survive a power cut. Code
that needs no such wait writes with the standard library.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from movielens_recsys.errors import StorageError


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` so that a reader meets the old file or the new one, never a part.

    The folder is made if it is missing. The bytes reach the disk before the name does.

    Raises
    ------
    StorageError
        If the disk refuses; what was there before remains.
    """
    with atomic_file(path) as file:
        file.write(content)


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that becomes ``path`` when the block ends, whole; if the block fails, nothing changes.

    The folder is made if it is missing. The bytes reach the disk before the name does.

    Raises
    ------
    StorageError
        If the disk refuses; what was there before remains.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        os.replace(temporary, path)  # noqa: PTH105 (the name that says what it promises)
    except BaseException as exc:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        if not isinstance(exc, OSError):
            raise
        raise StorageError(
            f"cannot write {path}: {exc.strerror or exc}",
            expected="a folder that can be written to, with space left",
            next_step="free space or choose another place",
        ) from exc


def write_durably(path: Path, *parts: bytes) -> None:
    """Write ``parts``, one after another, as the content of ``path``, in place.

    A crash meanwhile leaves a part of them, so the file should be one that gets its final name later, or one
    whose readers notice.

    Raises
    ------
    OSError
        The disk refused; a part may have been written.
    """
    with path.open("wb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())


def append_durably(descriptor: int, content: bytes, length: int) -> int:
    """Append ``content`` to an open file of ``length`` bytes, and return its new length.

    Raises
    ------
    OSError
        The disk refused; the file is as long as it was before.
    """
    view = memoryview(content)
    try:
        while view:  # a disk that takes only some of the bytes raises on the next attempt
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, length)
        raise
    return length + len(content)


def overwrite_durably(descriptor: int, content: bytes) -> None:
    """Replace the content of an open file in place, so that a lock on the file stays on it.

    Raises
    ------
    OSError
        The disk refused; a part may have been written.
    """
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, content, 0)
    os.fsync(descriptor)


def sync_path(path: Path) -> None:
    """Wait until the bytes of a file, or the names in a folder, are on the disk.

    A rename survives a power cut only once its folder is synced.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
