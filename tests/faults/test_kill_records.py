"""Acknowledged runs and events survive, whichever process is killed and however many come at once."""

from __future__ import annotations

import random
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from tests.faults.laboratory import Laboratory, killed, trainers
from tests.faults.table import Trials

from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store
from movielens_recsys.runs.event_writer import open_log
from movielens_recsys.runs.events import read_events
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings

APPENDED = 30


def record_for_ever(home: Path, acknowledge: Connection) -> None:
    """Create experiments and write their logs; acknowledge each step."""
    settings = Settings(home=home)
    config = config_from_template("popularity", "recorded")
    while True:
        run = store.create_run(config, settings)
        acknowledge.send((run.id, 1))
        with open_log(run.id, settings) as writer:
            for _ in range(APPENDED):
                event = writer.append("noted", {"padding": "x" * 2_000})
                acknowledge.send((run.id, event.sequence))


@pytest.mark.fault(
    "kill -9 while the run store or an event log is written",
    "each acknowledged experiment and event is there; none lacks its configuration and log",
    short=15,
    long=1_000,
)
def test_kill_records(laboratory: Laboratory, trials: Trials) -> None:
    rng, settings = random.Random(3), laboratory.settings
    known: set[str] = set()
    for _ in trials:
        acknowledged = dict(killed(record_for_ever, laboratory.home, rng.uniform(0, 0.05)))
        new = set(store.run_ids(settings)) - known
        known |= new
        trials.expect(new >= set(acknowledged), f"{set(acknowledged) - new} are gone")
        for run_id in new:
            store.load_config(run_id, settings)
            there = len(read_events(laboratory.folder(run_id) / "events.jsonl"))
            promised = acknowledged.get(run_id, 1)
            trials.expect(there >= promised, f"{there} of {promised} events of {run_id}")
        with open_log(max(acknowledged), settings) as writer:
            writer.append("failed", {"reason": "its process was killed"})
        trials.expect_equal(store.load_run(max(acknowledged), settings).state, RunState.FAILED)


def create_many(home: Path, count: int) -> list[str]:
    """Create ``count`` experiments of one name, and return their ids."""
    config = config_from_template("popularity", "same")
    return [store.create_run(config, Settings(home=home)).id for _ in range(count)]


@pytest.mark.fault(
    "the same name created at once by 16 processes",
    "an id for each, all complete",
    short=160,
    long=8_000,
)
def test_same_name(laboratory: Laboratory, trials: Trials) -> None:
    with ProcessPoolExecutor(16, mp_context=trainers) as pool:
        creators = [pool.submit(create_many, laboratory.home, trials.wanted // 16) for _ in range(16)]
        ids = [run_id for creator in creators for run_id in creator.result()]
    runs, errors = store.load_runs(laboratory.settings)
    trials.done = len(ids)
    trials.expect_equal(len(set(ids)), trials.wanted)
    trials.expect_equal(sorted(run.id for run in runs), sorted(ids))
    trials.expect(not errors, errors)
    hidden = [path.name for path in laboratory.settings.runs.iterdir() if path.name.startswith(".")]
    trials.expect(not hidden, hidden)
