"""kill -9 during the bench: its child ends too, and the next run continues with what is missing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from movielens_recsys.bench.results import all_results
from movielens_recsys.settings import Settings


def test_a_killed_bench_continues_with_what_is_missing(
    tmp_path: Path, models_file: Path, log: Path, ratings_file: Path
):
    slow = models_file.parent / "hanging.py"
    waiting = "time.sleep(float(open('wait').read())); return users + 0.5"
    slow.write_text(slow.read_text().replace("time.sleep(600)", waiting))
    (tmp_path / "wait").write_text("600")
    environment = {
        **os.environ,
        "RECSYS_HOME": str(tmp_path / "home"),
        "RECSYS_DATA": str(tmp_path / "data"),
    }
    command = [sys.executable, "-m", "movielens_recsys", "bench", "--data", str(ratings_file)]
    command += ["--protocol", "random", "--models", "none", "--entrants", str(models_file), "--json"]
    command += ["--peers", "mean,hanging,item_mean"]
    process = subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL)
    wait_until(lambda: log.read_text().split() == ["mean", "hanging"])
    child = psutil.Process(process.pid).children()[0]
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    settings = Settings(home=tmp_path / "home")
    assert [result.key.name for result in all_results(settings)] == ["mean"]
    (tmp_path / "wait").write_text("0")
    subprocess.run(command, env=environment, cwd=tmp_path, check=True, capture_output=True)
    assert log.read_text().split() == ["mean", "hanging", "hanging", "item_mean"], "mean was not run again"
    assert {result.key.name: result.failure for result in all_results(settings)} == dict.fromkeys(
        ("mean", "hanging", "item_mean")
    )


def wait_until(condition, patience_s: float = 60.0) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
