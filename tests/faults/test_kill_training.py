"""A training that is killed at any time, any number of times, gives the result of an uninterrupted one."""

from __future__ import annotations

import random
import signal
import time
from itertools import pairwise

import pytest
from tests.faults.conftest import Uninterrupted
from tests.faults.laboratory import Laboratory
from tests.faults.table import Trials

from movielens_recsys.schema import RunState


@pytest.mark.fault(
    "kill -9 during training",
    "weights, optimiser, random states and metric history equal the uninterrupted run's, bit for bit; "
    "at most one epoch is repeated per kill",
    short=6,
    long=200,
)
def test_kill_training(laboratory: Laboratory, uninterrupted: Uninterrupted, trials: Trials) -> None:
    rng, run_id, finished = random.Random(1), laboratory.create(), 0
    while trials.done < trials.wanted:
        trainer = laboratory.train(run_id)
        time.sleep(rng.uniform(0, uninterrupted.seconds))
        trainer.kill()
        trainer.join()
        trials.done += trainer.exitcode == -signal.SIGKILL
        if laboratory.load(run_id).state is RunState.COMPLETED:
            check_outcome(run_id, laboratory, uninterrupted, trials)
            run_id, finished = laboratory.create(), finished + 1
    trials.expect_equal(laboratory.finish(run_id), 0)
    check_outcome(run_id, laboratory, uninterrupted, trials)
    trials.notes.append(f"{finished + 1} runs; the last: {laboratory.result(run_id)}")
    trials.notes.append(f"the uninterrupted one: {uninterrupted.result}")


def check_outcome(run_id: str, laboratory: Laboratory, uninterrupted: Uninterrupted, trials: Trials) -> None:
    trials.expect_equal(laboratory.result(run_id), uninterrupted.result)
    epochs = laboratory.epochs(run_id)
    trials.expect(all(later - epoch in {0, 1} for epoch, later in pairwise(epochs)), epochs)
