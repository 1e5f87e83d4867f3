"""SIGTERM asks for a stop after the step, and stops at once where no step ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from movielens_recsys.cli import termination
from movielens_recsys.cli.termination import GracefulStop
from movielens_recsys.errors import TrainingStopped


def test_a_signal_is_a_request_for_the_next_step() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGALRM)
    with GracefulStop() as stop:
        assert not stop()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop()
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= termination.PATIENCE_S
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGALRM)) == before


def test_work_without_steps_is_stopped_after_the_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(termination, "PATIENCE_S", 0.05)
    started = time.monotonic()
    with pytest.raises(TrainingStopped, match="between steps; resume it"):
        wait_for_a_signal()
    assert time.monotonic() - started < 20
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def wait_for_a_signal() -> None:
    with GracefulStop():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)


def test_a_signal_after_the_work_changes_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", AFTER_THE_WORK], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "the result\n")


AFTER_THE_WORK = """
import os, signal, sys
from movielens_recsys.cli.termination import GracefulStop

with GracefulStop() as stop:
    os.kill(os.getpid(), signal.SIGTERM)
    stop.finish()
    os.kill(os.getpid(), signal.SIGTERM)
os.kill(os.getpid(), signal.SIGTERM)
print("the result")
class Last:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
sys.last = Last()
"""
