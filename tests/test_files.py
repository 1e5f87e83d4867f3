"""Files are written whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

import movielens_recsys
from movielens_recsys.errors import StorageError
from movielens_recsys.files import (
    append_durably,
    overwrite_durably,
    sync_path,
    write_atomically,
    write_durably,
)


def test_writes_into_a_new_folder_and_over_an_old_file(tmp_path):
    path = tmp_path / "new" / "file.bin"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert [entry.name for entry in path.parent.iterdir()] == ["file.bin"]


def test_a_disk_that_refuses_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "file.bin"
    write_atomically(path, b"before")

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left on device; expected a folder"):
        write_atomically(path, b"after")
    assert path.read_bytes() == b"before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.bin"]


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        write_atomically(tmp_path / "taken" / "file.bin", b"")


def test_parts_become_one_file_in_place_of_the_old_one(tmp_path):
    path = tmp_path / "file.bin"
    write_durably(path, b"a longer content")
    write_durably(path, b"head", b"body")
    assert path.read_bytes() == b"headbody"


@pytest.fixture
def log(tmp_path):
    """An open log of one line, and its path."""
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"one\n")
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
    yield descriptor, path
    os.close(descriptor)


def test_appends_and_returns_the_new_length(log):
    descriptor, path = log
    assert append_durably(descriptor, b"two\n", 4) == 8
    assert path.read_bytes() == b"one\ntwo\n"


def test_an_append_that_fails_leaves_the_file_as_long_as_before(log, monkeypatch):
    descriptor, path = log

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        append_durably(descriptor, b"two\n", 4)
    assert path.read_bytes() == b"one\n"


def test_overwrites_an_open_file_in_place(log):
    descriptor, path = log
    inode = path.stat().st_ino
    overwrite_durably(descriptor, b"2\n")
    assert path.read_bytes() == b"2\n"
    assert path.stat().st_ino == inode


def test_files_and_folders_are_synced_and_missing_ones_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    sync_path(tmp_path / "file")
    sync_path(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_path(tmp_path / "missing")


def test_no_other_module_waits_for_the_disk_itself():
    package = Path(movielens_recsys.__file__).parent
    sources = {path.relative_to(package).as_posix(): path.read_text() for path in package.rglob("*.py")}
    assert [name for name, source in sources.items() if "os.fsync" in source] == ["files.py"]
