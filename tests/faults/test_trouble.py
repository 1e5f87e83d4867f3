"""Failures within training: losses that are not finite, and memory that runs out."""

from __future__ import annotations

import ctypes
import math
import resource
from pathlib import Path

import numpy as np
import pytest
from tests.faults.laboratory import Laboratory, trainers
from tests.faults.table import Trials

from movielens_recsys.experiments.execute import execute
from movielens_recsys.schema import RunState
from movielens_recsys.training.checkpoints import LAST, read_checkpoint
from movielens_recsys.training.history import EpochMetrics, TrainingCallback
from movielens_recsys.training.session import TrainingSession

WILD = [
    {"learning_rate": 0.3, "kl_weight": 100.0, "loss_spike": 2.0},
    {"learning_rate": 3.0, "kl_weight": 100.0},
    {"learning_rate": 10.0, "kl_weight": 100.0, "loss_spike": None},
    {"learning_rate": 10.0, "kl_weight": 10.0, "optimizer": "adamw", "loss_spike": 3.0},
]
"""Trainings that spike, overflow or end in NaN."""


@pytest.mark.fault(
    "NaN, Inf, loss spike",
    "caught before the weights are touched; back to the last good state at most 3 times; a failed "
    "run leaves no bundle",
    short=4,
    long=60,
)
def test_instability(laboratory: Laboratory, trials: Trials) -> None:
    completed = 0
    for trial in trials:
        training = {"gradient_clip_norm": None, "batch_size": 64, "seed": trial, **WILD[trial % len(WILD)]}
        run_id = laboratory.create(training=training, contingencies="auto")
        laboratory.finish(run_id)
        run, folder = laboratory.load(run_id), laboratory.folder(run_id)
        completed += run.state is RunState.COMPLETED
        trials.expect(run.state in {RunState.COMPLETED, RunState.FAILED}, run.state)
        trials.expect(run.state is RunState.COMPLETED or not (folder / "bundle").exists(), "a bundle")
        causes = [row["cause"] for row in run.contingencies if row["mode"] == "auto"]
        trials.expect(causes.count("instability") <= 3, causes)
        values = [value for record in run.history for value in record.values() if isinstance(value, float)]
        trials.expect(all(map(math.isfinite, values)), "a metric that is not finite")
        if (folder / "checkpoints" / LAST).exists():
            tensors, _ = read_checkpoint(folder / "checkpoints" / LAST)
            weights = [tensors[name].numpy() for name in tensors if name.startswith("network.")]
            trials.expect(all(np.isfinite(array).all() for array in weights), "weights that are not finite")
    trials.notes.append(f"{completed} of {trials.done} completed")


DEEP = {"model": {"n_factors": 16, "hidden_dims": [128] * 16, "latent_dim": 16, "dropout": 0.1}}
"""A network whose activations take many times the memory of its weights."""
WHOLE = {"epochs": 3, "batch_size": 3200, "early_stopping": None, "kl_weight": 0.0}


M_MMAP_THRESHOLD = -3
"""Option of glibc: larger blocks are mapped, and unmapped, one by one."""


@pytest.mark.fault(
    "out of memory",
    "smaller micro-batches, the same batch, the same epochs; recorded, at most 3 times",
    short=1,
    long=40,
)
def test_memory(laboratory: Laboratory, trials: Trials) -> None:
    for trial in trials:
        training = {**WHOLE, "seed": trial, "device": "cpu"}
        run_id = laboratory.create(training=training, contingencies="auto", **DEEP)
        trainer = trainers.Process(target=train_in_little_memory, args=(laboratory, run_id))
        trainer.start()
        trainer.join()
        run = laboratory.load(run_id)
        trials.expect(run.state is RunState.COMPLETED, f"{run.state}: {run.reason}")
        changed = [row["changes"] for row in run.contingencies if row["cause"] == "out_of_memory"]
        sizes = [changes["micro_batch_size"]["new"] for changes in changed]
        trials.expect(0 < len(sizes) <= 3 and sizes[0] == 1536, f"micro-batches of {sizes}")
        trials.expect([record["epoch"] for record in run.history] == [1, 2, 3], run.history)
    trials.notes.append(f"the last trial's micro-batches: {sizes}")


def train_in_little_memory(laboratory: Laboratory, run_id: str) -> None:
    """Train without memory for a whole batch after the first epoch; freed memory returns to the system."""
    ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 64 * 2**10)
    execute(run_id, laboratory.settings, TrainingSession(callbacks=[LittleMemory()]))


class LittleMemory(TrainingCallback):
    """Leaves less address space than the activations of a batch need, from the first epoch on."""

    def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
        if record.epoch == 1:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            limit = pages * resource.getpagesize() + 64 * 2**20
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
