"""The one way to write a file: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from movielens_recsys.errors import StorageError


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` so that a reader meets the old file or the new one, never a part.

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
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        os.replace(temporary, path)  # noqa: PTH105 (the name that says what it promises)
    except OSError as exc:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        raise StorageError(
            f"cannot write {path}: {exc.strerror or exc}",
            expected="a folder that can be written to, with space left",
            next_step="free space or choose another place",
        ) from exc
