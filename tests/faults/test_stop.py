"""Intended stops: SIGTERM when a machine is withdrawn, and a cap on the cost of a run."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest
from tests.faults.conftest import Uninterrupted
from tests.faults.laboratory import Laboratory
from tests.faults.table import Trials

from movielens_recsys.errors import CapReachedError, TrainingStopped
from movielens_recsys.schema import RunState


@pytest.mark.fault(
    "SIGTERM",
    "saved, exit code 143 within 10 s; the run ends as the uninterrupted one",
    short=6,
    long=100,
)
def test_terminate(laboratory: Laboratory, uninterrupted: Uninterrupted, trials: Trials) -> None:
    rng, run_id = random.Random(2), laboratory.create()
    while trials.done < trials.wanted:
        trainer = laboratory.train(run_id)
        while laboratory.load(run_id).state is not RunState.RUNNING and trainer.is_alive():
            time.sleep(0.002)
        time.sleep(rng.uniform(0, uninterrupted.seconds / 2))
        if trainer.is_alive() and trainer.pid is not None:
            os.kill(trainer.pid, signal.SIGTERM)
        trainer.join(10)
        state = laboratory.load(run_id).state
        stopped = trainer.exitcode == TrainingStopped.exit_code and state is RunState.STOPPED
        too_late = state is RunState.COMPLETED and trainer.exitcode == 0
        trials.done += stopped
        trials.expect(stopped or too_late, f"exit code {trainer.exitcode}, {state}")
        if state is RunState.COMPLETED:
            trials.expect_equal(laboratory.result(run_id), uninterrupted.result)
            run_id = laboratory.create()
    trials.expect_equal(laboratory.finish(run_id), 0)
    trials.expect_equal(laboratory.result(run_id), uninterrupted.result)


@pytest.mark.fault(
    "a cap reached, and raised, over restarts",
    "saved each time with the cost so far, which survives restarts; ends as the uninterrupted one",
    short=4,
    long=50,
)
def test_cap(laboratory: Laboratory, uninterrupted: Uninterrupted, trials: Trials) -> None:
    dollars_per_second = 1.0
    share = 0.3 * uninterrupted.seconds
    resources = {"price_usd_per_hour": 3600 * dollars_per_second, "cap_usd": share}
    run_id, spent = laboratory.create(resources=resources), 0.0
    while trials.done < trials.wanted:
        if laboratory.load(run_id).state is RunState.PLANNED:
            trainer = laboratory.start("experiment", "run", run_id)
        else:
            cap = str(spent + share)
            trainer = laboratory.start("experiment", "resume", run_id, "--cap-usd", cap)
        trainer.join()
        run = laboratory.load(run_id)
        if trainer.exitcode == 0:
            trials.expect_equal(laboratory.result(run_id), uninterrupted.result)
            run_id, spent = laboratory.create(resources=resources), 0.0
            continue
        stopped = (trainer.exitcode, run.state) == (CapReachedError.exit_code, RunState.STOPPED)
        trials.expect(stopped, f"exit code {trainer.exitcode}, {run.state}: {run.reason}")
        remembered = run.spent_usd is not None and run.spent_usd >= spent + share
        trials.expect(remembered, f"${run.spent_usd} after ${spent} and a cap of ${spent + share} reached")
        spent = run.spent_usd or 0.0
        trials.done += 1
