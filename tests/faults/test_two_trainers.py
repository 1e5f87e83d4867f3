"""Two processes and one run: the second is refused, and one that has lost its run leaves it alone."""

from __future__ import annotations

import os
import shutil
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from tests.faults.conftest import Uninterrupted
from tests.faults.laboratory import Laboratory
from tests.faults.table import Trials

from movielens_recsys.errors import ExperimentError


def start_and_wait_for_an_epoch(laboratory: Laboratory, run_id: str) -> tuple[BaseProcess, int]:
    trainer = laboratory.train(run_id)
    while trainer.is_alive() and not laboratory.epochs(run_id):
        time.sleep(0.001)
    assert trainer.pid is not None
    os.kill(trainer.pid, signal.SIGSTOP)
    # The signal is on its way when kill returns: until every thread has stopped, files may still change.
    while trainer.is_alive() and not is_stopped(trainer.pid):
        time.sleep(0.001)
    return trainer, trainer.pid


def is_stopped(pid: int) -> bool:
    """Whether every thread of the process is stopped (state T of ``proc(5)``)."""
    stats = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(stat.rpartition(")")[2].split()[0] == "T" for stat in stats)


@pytest.mark.fault(
    "a second trainer on a run that has one",
    "refused at once, in one line; the first ends as the uninterrupted one",
    short=2,
    long=100,
)
def test_second_trainer(laboratory: Laboratory, uninterrupted: Uninterrupted, trials: Trials) -> None:
    for _ in trials:
        run_id = laboratory.create()
        first, pid = start_and_wait_for_an_epoch(laboratory, run_id)
        second = laboratory.start("experiment", "resume", run_id)
        second.join()
        os.kill(pid, signal.SIGCONT)
        first.join()
        output = laboratory.output()
        refused = any("another process" in line for line in output)
        trials.expect(refused and second.exitcode == ExperimentError.exit_code, output)
        trials.expect_equal(first.exitcode, 0)
        trials.expect_equal(laboratory.result(run_id), uninterrupted.result)


@pytest.mark.fault(
    "a stale trainer, whose run continues elsewhere",
    "stopped: it ends with an error and changes nothing; the other ends as the uninterrupted one",
    short=2,
    long=100,
)
def test_stale_trainer(laboratory: Laboratory, uninterrupted: Uninterrupted, trials: Trials) -> None:
    for _ in trials:
        run_id = laboratory.create()
        folder = laboratory.folder(run_id)
        stale, pid = start_and_wait_for_an_epoch(laboratory, run_id)
        restored = folder.with_name(".restored")
        shutil.copytree(folder, restored)
        shutil.rmtree(folder)
        restored.rename(folder)
        trials.expect_equal(laboratory.finish(run_id), 0)
        os.kill(pid, signal.SIGCONT)
        stale.join()
        trials.expect(stale.exitcode != 0, "the stale one ended as if nothing had happened")
        trials.expect_equal(laboratory.result(run_id), uninterrupted.result)
        trials.expect_equal(laboratory.load(run_id).attempts, 2)
