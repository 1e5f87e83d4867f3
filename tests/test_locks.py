"""One process at a time holds a lock, and it ends with its process."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import movielens_recsys
from movielens_recsys.locks import acquire, lock

HOLD = """
import sys, time
from pathlib import Path
from movielens_recsys.locks import lock
with lock(Path(sys.argv[1])) as held:
    print(held, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_second_owner_is_refused_until_the_first_is_gone(tmp_path, kind):
    path = tmp_path / kind
    path.touch() if kind == "file" else path.mkdir()
    with lock(path) as first, lock(path, patience_s=0) as second:
        assert first
        assert not second
    with lock(path, patience_s=0) as third:
        assert third


def test_patience_waits_for_the_owner(tmp_path):
    released = threading.Event()

    def hold():
        with lock(tmp_path):
            taken.set()
            time.sleep(0.1)
            released.set()

    taken = threading.Event()
    owner = threading.Thread(target=hold)
    owner.start()
    taken.wait()
    with lock(tmp_path, patience_s=30) as held:
        assert held
        assert released.is_set()
    owner.join()


def test_patience_ends(tmp_path):
    with lock(tmp_path):
        began = time.monotonic()
        with lock(tmp_path, patience_s=0.1) as held:
            assert not held
        assert 0.1 <= time.monotonic() - began < 30


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    owner = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "True\n"
    with lock(tmp_path, patience_s=0) as held:
        assert not held
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    with lock(tmp_path, patience_s=0) as held:
        assert held


def test_a_lock_file_is_made_where_that_is_wanted(tmp_path):
    with pytest.raises(FileNotFoundError), lock(tmp_path / "missing"):
        pass
    with lock(tmp_path / "new.lock", create=True) as held:
        assert held
    assert (tmp_path / "new.lock").exists()


def test_an_open_file_is_held_until_it_is_closed(tmp_path):
    path = tmp_path / "cursor"
    first = os.open(path, os.O_RDWR | os.O_CREAT)
    second = os.open(path, os.O_RDWR)
    assert acquire(first, patience_s=0)
    assert not acquire(second, patience_s=0)
    os.close(first)
    assert acquire(second, patience_s=0)
    os.close(second)


def test_no_other_module_locks_by_itself():
    package = Path(movielens_recsys.__file__).parent
    sources = {path.relative_to(package).as_posix(): path.read_text() for path in package.rglob("*.py")}
    assert [name for name, source in sources.items() if "import fcntl" in source] == ["locks.py"]
