"""A process that is killed while it saves leaves the old checkpoint or the new one, never a part of one."""

from __future__ import annotations

import random
import shutil
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import torch
from tests.faults.laboratory import Laboratory, killed, trainers
from tests.faults.steps import killed_at_steps
from tests.faults.table import Trials

from movielens_recsys.errors import CheckpointError
from movielens_recsys.training.checkpoints import BEST, LAST, PREVIOUS, Checkpoints, read_checkpoint

NOTHING, ALL, DAMAGED, NO_LAST = "nothing", "all", "a damaged last", "no last"


def save(checkpoints: Checkpoints, number: int, size: int) -> None:
    """Save as a training does after its epoch ``number``."""
    weights = {"w": torch.full((size,), float(number))}
    checkpoints.save_best(weights, {"number": number})
    checkpoints.save(weights, {"number": number})


def save_next(folder: Path, size: int = 1_000) -> int:
    """Resume and save the next checkpoint, as a training does; return its number."""
    checkpoints = Checkpoints(folder, "ours")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = checkpoints.latest()
    number = int(found[1]["number"]) + 1 if found else 1
    save(checkpoints, number, size)
    return number


def complete_checkpoints(folder: Path) -> dict[str, int]:
    """Return the number of each complete checkpoint."""
    numbers = {}
    for name in (LAST, PREVIOUS, BEST):
        try:
            tensors, metadata = read_checkpoint(folder / name)
        except CheckpointError:
            continue
        assert tensors["w"].unique().tolist() == [metadata["number"]]
        numbers[name] = int(metadata["number"])
    return numbers


def losses_of_killed_saves(folder: Path, there: str, at_most: int) -> list[str]:
    """Kill a resumption and its first save at its steps; return the loss of each kill, "" for none."""
    before, now = folder / "before", folder / "now"
    before.mkdir()
    for _ in range(0 if there == NOTHING else 2):
        save_next(before)
    if there == DAMAGED:
        (before / LAST).write_bytes(b"damaged")
    if there == NO_LAST:
        (before / LAST).unlink()
    old = complete_checkpoints(before)
    shutil.copytree(before, now)
    found = []
    for _ in killed_at_steps(lambda: save_next(now), at_most):
        found.append(loss_of(now, old))
        shutil.rmtree(now)
        shutil.copytree(before, now)
    return found


def loss_of(folder: Path, old: dict[str, int]) -> str:
    """Return what a kill has lost of the checkpoints that were ``old`` before it, "" for nothing."""
    there, resumable = complete_checkpoints(folder), max(old.get(LAST, 0), old.get(PREVIOUS, 0))
    new = max(there.get(LAST, 0), there.get(PREVIOUS, 0))
    if new not in {resumable, resumable + 1} or there.get(BEST, 0) not in {old.get(BEST, 0), resumable + 1}:
        return f"{there} after {old}"
    if save_next(folder) != new + 1:
        return f"{there} was not resumed from"
    others = [path.name for path in folder.iterdir() if path.name not in {LAST, PREVIOUS, BEST}]
    return f"left {others}" if others else ""


@pytest.mark.fault(
    "kill -9 at every step of a checkpoint's save",
    "the old one or the new one, complete; training continues from it; no temporary file is left",
    short=40,
    long=10_000,
)
def test_kill_save_at_every_step(laboratory: Laboratory, tmp_path: Path, trials: Trials) -> None:
    with ProcessPoolExecutor(1, mp_context=trainers) as pool:
        for there in (NOTHING, ALL, DAMAGED, NO_LAST):
            folder = tmp_path / there
            folder.mkdir()
            for found in trials.each(
                pool.submit(losses_of_killed_saves, folder, there, trials.wanted // 4).result()
            ):
                trials.expect_equal(found, "")


def save_for_ever(folder: Path, acknowledge: Connection) -> None:
    while True:
        acknowledge.send(save_next(folder, 2_000_000))


@pytest.mark.fault(
    "kill -9 while a checkpoint is saved, at random",
    "the last one acknowledged or a later one, complete",
    short=10,
    long=300,
)
def test_kill_save(laboratory: Laboratory, tmp_path: Path, trials: Trials) -> None:
    rng = random.Random(2)
    for _ in trials:
        acknowledged = killed(save_for_ever, tmp_path, rng.uniform(0, 0.1))[-1]
        there = complete_checkpoints(tmp_path)
        resumable = max(there.get(LAST, 0), there.get(PREVIOUS, 0))
        trials.expect(resumable >= acknowledged <= there[BEST], f"{there} after {acknowledged}")
