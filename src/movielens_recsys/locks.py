"""One process at a time: an exclusive lock on a file or a folder.

The owner of a lock is the process that has the locked descriptor open (``flock``). The operating system drops
the lock when that process ends, so a kill leaves nothing to clean up. Others may still read a locked file, in
which an owner can leave its process id or its position.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 1.0
"""Longer than a process holds a lock that only tests whether it is free."""
_SECONDS_BETWEEN_TRIES = 0.02


@contextmanager
def lock(path: Path, patience_s: float = PATIENCE_S, *, create: bool = False) -> Iterator[bool]:
    """Try for ``patience_s`` to lock a path, and give whether this process holds it now.

    With ``create``, the path is a file that only serves as the lock, made if it is missing.

    Raises
    ------
    OSError
        The path is missing or cannot be opened, or its file system has no locks.
    """
    flags = os.O_RDWR | os.O_CREAT if create else os.O_RDONLY
    descriptor = os.open(path, flags, 0o644)
    try:
        yield acquire(descriptor, patience_s)
    finally:
        os.close(descriptor)


def acquire(descriptor: int, patience_s: float = PATIENCE_S) -> bool:
    """Try for ``patience_s`` to lock an open file or folder; return whether it is held.

    It is held until the descriptor is closed.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_SECONDS_BETWEEN_TRIES)
        else:
            return True
