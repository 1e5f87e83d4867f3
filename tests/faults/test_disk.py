"""A disk that refuses any write: nothing is lost, and the run resumes once the disk is repaired."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from tests.faults.conftest import Uninterrupted
from tests.faults.disk import BREAKS, BreakAtWrite, mount_small_disk
from tests.faults.laboratory import Laboratory, Result, trainers
from tests.faults.steps import spread
from tests.faults.table import Trials

from movielens_recsys.schema import RunState

MEBIBYTES = 32
MEANING = (
    "what was saved is intact; one line of error; the run can be resumed and ends as the uninterrupted one"
)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """The folder of the disk, in the process that has mounted it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


@pytest.fixture
def disk_process(laboratory: Laboratory, disk: Path) -> Iterator[ProcessPoolExecutor]:
    """A process that has mounted the disk."""
    with ProcessPoolExecutor(1, mp_context=trainers) as pool:
        try:
            pool.submit(mount_small_disk, disk, MEBIBYTES).result()
        except OSError as exc:
            pytest.skip(f"this machine does not allow mounting a disk ({exc.strerror})")
        yield pool


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(
            kind, marks=pytest.mark.fault(f"disk {kind}, at every write", MEANING, short=3, long=120)
        )
        for kind in BREAKS
    ],
)
def test_disk(
    kind: str,
    laboratory: Laboratory,
    disk: Path,
    disk_process: ProcessPoolExecutor,
    uninterrupted: Uninterrupted,
    trials: Trials,
) -> None:
    on_disk = replace(laboratory, home=disk / "home", data=disk / "data")
    writes, _ = disk_process.submit(break_at, on_disk, disk, kind, 0, uninterrupted.result).result()
    for at in trials.each(spread(writes, trials.wanted)):
        _, lost = disk_process.submit(break_at, on_disk, disk, kind, at, uninterrupted.result).result()
        trials.expect(not lost, f"write {at} of {writes}: {'; '.join(lost)}")


def break_at(
    laboratory: Laboratory, disk: Path, kind: str, at: int, promised: Result
) -> tuple[int, list[str]]:
    """Break the disk before a run's write number ``at``; return the number of its writes, and the losses."""
    for path in disk.iterdir():
        shutil.rmtree(path)
    laboratory = replace(laboratory, context=multiprocessing.get_context("fork"))
    laboratory.terminal.write_text("")
    break_disk, repair = BREAKS[kind]
    run_id, fault = laboratory.create(), BreakAtWrite(disk, break_disk, at)
    trainer = laboratory.train(run_id, before=fault)
    trainer.join()
    output = laboratory.output()
    repair(disk)
    lost = []
    errors = [line for line in output if line.startswith("error:")]
    if len(errors) != trainer.exitcode or any("Traceback" in line or "is a bug" in line for line in output):
        lost.append(f"exit code {trainer.exitcode} and {output}")
    state = laboratory.load(run_id).state
    if state is RunState.FAILED:
        lost.append(f"failed: {laboratory.load(run_id).reason}")
    elif state is not RunState.COMPLETED and laboratory.finish(run_id) != 0:
        lost.append(f"{state} and not finished on the repaired disk: {laboratory.output()[-1]}")
    elif laboratory.result(run_id) != promised:
        lost.append(f"{laboratory.result(run_id)} instead of {promised}")
    return fault.count.value, lost
