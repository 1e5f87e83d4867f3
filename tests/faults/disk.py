"""A small disk that only one process sees, and the ways in which it refuses writes.

The disk is a tmpfs in a mount namespace that only this process and its children see: it really fills up,
turns read-only and loses its permissions, without harm to other processes.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MNT_DETACH = 1, 32, 4096, 2
_CAPABILITY_VERSION_3 = 0x20080522
_FILLER = ".filler"
_WRITES = {"write", "fsync", "ftruncate", "open", "replace", "rename", "mkdir", "unlink", "rmdir", "commit"}
_WRITERS = {"module", "BufferedWriter", "FileIO", "Connection"}


def mount_small_disk(folder: Path, mebibytes: int) -> None:
    """Put an empty disk of this size at ``folder``, for this process and those it will start.

    Raises
    ------
    OSError
        This machine does not allow that.
    """
    user, group = os.geteuid(), os.getegid()
    _call(_LIBC.unshare, _CLONE_NEWUSER | _CLONE_NEWNS)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _mount(b"tmpfs", folder, b"tmpfs", 0, f"size={mebibytes}m".encode())


def fill(disk: Path) -> None:
    """Fill the disk to the last byte."""
    with suppress(OSError), (disk / _FILLER).open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65536))


def free(disk: Path) -> None:
    (disk / _FILLER).unlink(missing_ok=True)


def write_protect(disk: Path) -> None:
    """Make the disk read-only for every file that is opened from now on."""
    _mount(str(disk).encode(), disk, None, _MS_BIND, None)
    _mount(None, disk, None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY, None)


def lift_protection(disk: Path) -> None:
    if os.statvfs(disk).f_flag & os.ST_RDONLY:
        _call(_LIBC.umount2, str(disk).encode(), _MNT_DETACH)


def take_permissions(disk: Path) -> None:
    """Forbid this process to write; without its capabilities even root is bound by permissions."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _call(_LIBC.capset, header, (ctypes.c_uint32 * 6)())
    _chmod_all(disk, folders=0o555, files=0o444)


def give_permissions(disk: Path) -> None:
    _chmod_all(disk, folders=0o755, files=0o644)


BREAKS = {
    "full": (fill, free),
    "read-only": (write_protect, lift_protection),
    "without permissions": (take_permissions, give_permissions),
}
"""How a disk breaks, and how it is repaired."""


class BreakAtWrite:
    """Counts each call that writes, and breaks the disk just before one of them."""

    def __init__(self, disk: Path, break_disk: Callable[[Path], None], at: int) -> None:
        self.count = multiprocessing.get_context("fork").Value("i", 0)
        self._disk, self._break, self._at = disk, break_disk, at

    def __call__(self) -> None:
        """Start to count, in this process."""
        sys.setprofile(self._see)

    def _see(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call" and argument.__name__ in _WRITES and _owner(argument) in _WRITERS:
            self.count.value += 1
            if self.count.value == self._at:
                sys.setprofile(None)
                self._break(self._disk)


def _owner(function: Any) -> str:
    return type(getattr(function, "__self__", None)).__name__


def _chmod_all(disk: Path, *, folders: int, files: int) -> None:
    for path in [*disk.rglob("*"), disk]:
        path.chmod(folders if path.is_dir() else files)


def _mount(source: bytes | None, target: Path, kind: bytes | None, flags: int, options: bytes | None) -> None:
    _call(_LIBC.mount, source, str(target).encode(), kind, ctypes.c_ulong(flags), options)


def _call(function: Any, *arguments: Any) -> None:
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function.__name__}: {os.strerror(number)}")
