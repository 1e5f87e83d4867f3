"""A child process runs to its end, or the error says how it ended."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from movielens_recsys.bench.processes import LOG, last_line, run_child
from movielens_recsys.errors import BenchError


def run_python(code: str, folder: Path, limit_s: float = 60.0, threads: int = 3) -> float:
    return run_child([sys.executable, "-c", code], folder, limit_s, threads, {"EXTRA": "more"})


def test_a_child_has_its_threads_and_no_input_and_its_output_is_kept(tmp_path: Path) -> None:
    code = "import os, sys; print(os.environ['OMP_NUM_THREADS'], os.environ['EXTRA'], repr(sys.stdin.read()))"
    assert 0 < run_python(code, tmp_path) < 60
    assert (tmp_path / LOG).read_text() == "3 more ''\n"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("print('first'); raise SystemExit(3)", "ended with code 3: first"),
        ("import os; os.kill(os.getpid(), 15)", "was killed by SIGTERM: no output"),
        ("raise ValueError('no rows')", "ended with code 1: ValueError: no rows"),
    ],
)
def test_a_failure_says_how_it_ended_and_the_last_line(code: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=message):
        run_python(code, tmp_path)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"cannot be started.*no-such-python"):
        run_child([str(tmp_path / "no-such-python")], tmp_path, 1.0, 1)


def test_past_its_limit_the_whole_group_is_killed(tmp_path: Path) -> None:
    code = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
    with pytest.raises(BenchError, match="had not finished after 2 s"):
        run_python(code, tmp_path, limit_s=2.0)
    grandchild = int((tmp_path / LOG).read_text())
    deadline = time.monotonic() + 30
    while is_running(grandchild):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether a process exists that is more than an entry of the dead."""
    try:
        os.kill(pid, 0)
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_the_last_line_is_the_last_state_of_a_progress_bar(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"begin\n 10%\r 50%\r100%\r\n\n  \n")
    assert last_line(log) == "100%"
    log.write_bytes(b"x" * 50_000 + b"\n" + b"y" * 400 + b"\xff\n")
    assert last_line(log) == "y" * 300
    log.write_bytes(b"")
    assert last_line(log) == "no output"
