"""A damaged checkpoint is detected before it is used, and the previous one is used instead."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.conftest import Uninterrupted
from tests.faults.laboratory import Laboratory
from tests.faults.table import Trials

from movielens_recsys.schema import RunState
from movielens_recsys.training.checkpoints import BEST, LAST, write_checkpoint

Damage = Callable[[Path, random.Random], object]


def truncated(folder: Path, rng: random.Random) -> None:
    content = (folder / LAST).read_bytes()
    (folder / LAST).write_bytes(content[: rng.randrange(len(content))])


def flipped(folder: Path, rng: random.Random) -> None:
    flip(folder / LAST, rng)


def flip(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def swapped_with_the_best(folder: Path, rng: random.Random) -> None:
    shutil.copy(folder / BEST, folder / LAST)


def swapped_with_another_run(folder: Path, rng: random.Random) -> None:
    write_checkpoint(folder / LAST, {}, {"fingerprint": "another", "epoch": 3})


DAMAGES: tuple[Damage, ...] = (truncated, flipped, swapped_with_the_best, swapped_with_another_run)


@pytest.fixture
def interrupted(laboratory: Laboratory) -> str:
    """A run that was killed when both of its checkpoints existed."""
    while True:
        run_id = laboratory.create()
        trainer = laboratory.train(run_id)
        while trainer.is_alive() and len(laboratory.epochs(run_id)) < 4:
            time.sleep(0.001)
        trainer.kill()
        trainer.join()
        if laboratory.load(run_id).state is RunState.RUNNING:
            return run_id


@pytest.mark.fault(
    "corrupt checkpoint (truncated, flipped, swapped)",
    "caught before use, with a warning; the previous one is used; the run ends as the uninterrupted one",
    short=4,
    long=64,
)
def test_corrupt_checkpoint(
    laboratory: Laboratory, interrupted: str, uninterrupted: Uninterrupted, trials: Trials, tmp_path: Path
) -> None:
    rng, folder, kept = random.Random(4), laboratory.folder(interrupted), tmp_path / "kept"
    shutil.copytree(folder, kept)
    for number in trials:
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
        DAMAGES[number % len(DAMAGES)](folder / "checkpoints", rng)
        before = len(laboratory.output())
        trials.expect_equal(laboratory.finish(interrupted), 0)
        warned = [line for line in laboratory.output()[before:] if line.startswith("warning: checkpoint")]
        trials.expect(len(warned) == 1 and "last.ckpt" in warned[0] and "the one before" in warned[0], warned)
        trials.expect_equal(laboratory.result(interrupted), uninterrupted.result)


@pytest.mark.fault(
    "both checkpoints corrupt",
    "refused in one line, the run waits; without them it trains from the beginning, to the same result",
    short=1,
    long=16,
)
def test_both_corrupt(
    laboratory: Laboratory, interrupted: str, uninterrupted: Uninterrupted, trials: Trials, tmp_path: Path
) -> None:
    rng, folder, kept = random.Random(5), laboratory.folder(interrupted), tmp_path / "kept"
    shutil.copytree(folder, kept)
    for _ in trials:
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
        for checkpoint in (folder / "checkpoints").glob("*.ckpt"):
            flip(checkpoint, rng)
        before = len(laboratory.output())
        trials.expect_equal(laboratory.finish(interrupted), 1)
        errors = [line for line in laboratory.output()[before:] if line.startswith("error:")]
        trials.expect(len(errors) == 1 and "last.ckpt" in errors[0] and "remove it" in errors[0], errors)
        trials.expect_equal(laboratory.load(interrupted).state, RunState.STOPPED)
        shutil.rmtree(folder / "checkpoints")
        trials.expect_equal(laboratory.finish(interrupted), 0)
        trials.expect_equal(laboratory.result(interrupted), uninterrupted.result)
