"""Readings that outlive their process, and those that cannot be trusted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from movielens_recsys.errors import StorageError
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.runtime import FILE_NAME, INTERVAL_S, RuntimeMeter, seconds_of


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def run(seconds: float = 0.0) -> Run:
    """A run that was begun, and whose log says that many seconds."""
    return Run("a", attempts=1, seconds=seconds)


def test_attempts_add_up_and_the_time_between_them_does_not_count(tmp_path: Path, clock: Clock) -> None:
    with RuntimeMeter(tmp_path, 0.0, clock=clock) as meter:
        clock.now += 10
        assert meter.seconds == 10
    clock.now += 1_000_000
    with RuntimeMeter(tmp_path, seconds_of(run(), tmp_path), clock=clock) as meter:
        clock.now += 2.5
        assert meter.seconds == 12.5
    assert seconds_of(run(), tmp_path) == 12.5


KEPT = """
import sys, time
from pathlib import Path
from movielens_recsys.runs.runtime import RuntimeMeter

with RuntimeMeter(Path(sys.argv[1]), float(sys.argv[2])) as meter:
    print(meter.seconds, flush=True)
    time.sleep(600)
"""


def test_the_runtime_of_a_killed_process_is_on_disk(tmp_path: Path) -> None:
    for _ in range(2):
        before = seconds_of(run(), tmp_path) if (tmp_path / FILE_NAME).exists() else 100.0
        command = [sys.executable, "-c", KEPT, str(tmp_path), str(before)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            first = float(process.stdout.readline())
            assert first >= before
            wait_until(lambda first=first: seconds_of(run(), tmp_path) > first)
            process.send_signal(signal.SIGKILL)
        assert seconds_of(run(), tmp_path) > first + INTERVAL_S / 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-10],
        lambda content: content.replace(b"12.5", b"92.5"),
        lambda content: content.replace(b"12.5", b"NaN"),
        lambda content: content.replace(b"12.5", b'"x"'),
        lambda content: b"[]",
        lambda content: b"null",
        lambda content: b"{}",
        lambda content: b"\xff\x00",
    ],
)
def test_a_damaged_meter_is_warned_of_and_the_log_counts(
    damage: Callable[[bytes], bytes], tmp_path: Path, clock: Clock
) -> None:
    with RuntimeMeter(tmp_path, 12.5, clock=clock):
        pass
    path = tmp_path / FILE_NAME
    path.write_bytes(damage(path.read_bytes()))
    warnings: list[str] = []
    assert seconds_of(run(7.0), tmp_path, warnings.append) == 7.0
    assert len(warnings) == 1
    assert "7.0 s spent so far, by the last event in the log" in warnings[0]
    assert "\n" not in warnings[0]


def test_a_missing_meter_is_warned_of_but_not_before_the_first_attempt(tmp_path: Path) -> None:
    warnings: list[str] = []
    assert seconds_of(Run("a"), tmp_path, warnings.append) == 0.0
    assert warnings == []
    assert seconds_of(run(7.0), tmp_path, warnings.append) == 7.0
    assert len(warnings) == 1


def test_a_meter_older_than_the_log_does_not_count(tmp_path: Path, clock: Clock) -> None:
    with RuntimeMeter(tmp_path, 3.0, clock=clock):
        pass
    assert seconds_of(run(7.0), tmp_path) == 7.0


def test_a_runtime_that_cannot_be_recorded_does_not_begin(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(StorageError, match=r"meter\.json"), RuntimeMeter(tmp_path, 0.0):
        pass


def test_a_disk_that_refuses_later_costs_one_warning(tmp_path: Path, clock: Clock) -> None:
    warnings: list[str] = []
    with RuntimeMeter(tmp_path, 0.0, clock=clock, warn=warnings.append) as meter:
        path = tmp_path / FILE_NAME
        path.unlink()
        path.mkdir()
        wait_until(lambda: bool(warnings))
        path.rmdir()
        clock.now += 5
        wait_until(lambda: path.is_file() and json.loads(path.read_text())["seconds"] == meter.seconds)
    assert len(warnings) == 1
    assert "kept by its log alone" in warnings[0]


def test_a_folder_that_was_moved_is_not_created_again(tmp_path: Path, clock: Clock) -> None:
    folder, warnings = tmp_path / "run", list[str]()
    folder.mkdir()
    with RuntimeMeter(folder, 0.0, clock=clock, warn=warnings.append):
        folder.rename(tmp_path / "elsewhere")
        wait_until(lambda: bool(warnings))
    assert not folder.exists()
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == [FILE_NAME]
