"""A run of half a second, trainers that start at once, and hashes of what a run leaves on disk.

Importing torch takes seconds. A fork server imports it once; each trainer is forked from it before any thread
exists, and calls what the ``recsys`` command calls. Nothing is sent to MLflow: that tracker is lost.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store
from movielens_recsys.runs.run import Run
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings
from movielens_recsys.training.checkpoints import LAST, read_checkpoint

IMPORTED_ONCE = [
    "movielens_recsys.cli.experiment.tables",
    "movielens_recsys.cli.notifications",
    "movielens_recsys.experiments.execute",
    "pytest",
]
QUIET = {"DISCORD_WEBHOOK_URL": ""}
TRAINING = {"epochs": 8, "batch_size": 128, "early_stopping": None}
CLOCKS = {"seconds", "run_seconds", "samples_per_s", "spent_s"}
"""Keys of durations, which differ between two equal runs."""

trainers = multiprocessing.get_context("forkserver")


def start_fork_server() -> None:
    """Start the fork server, which imports once what every trainer needs."""
    before = {name: os.environ.get(name) for name in QUIET}
    os.environ.update(QUIET)
    trainers.set_forkserver_preload(IMPORTED_ONCE)
    forkserver.ensure_running()
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@dataclass(frozen=True)
class Result:
    """What a completed run left on disk: hashes that are equal if and only if every bit is."""

    weights: str
    state: str
    history: str

    def __str__(self) -> str:
        return f"weights {self.weights}, optimiser and random states {self.state}, history {self.history}"


@dataclass(frozen=True)
class Laboratory:
    """A home for experiments on a few thousand ratings, and trainers for them.

    The output of all trainers is appended to the file ``terminal``; ``context`` starts them.
    """

    home: Path
    data: Path
    ratings: Path
    terminal: Path
    context: BaseContext = trainers

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home, data=self.data, data_path="")

    def create(self, name: str = "rough", **modifications: Any) -> str:
        """Plan a tiny run and return its id."""
        data = {"name": "mine", "path": str(self.ratings)}
        training = {**TRAINING, **modifications.pop("training", {})}
        config = config_from_template(
            "quickstart", name, {"data": data, "training": training, **modifications}
        )
        return store.create_run(config, self.settings).id

    def start(self, *words: str, before: Callable[[], None] | None = None) -> BaseProcess:
        """Start ``recsys WORDS`` in a new process, which calls ``before`` first."""
        environment = {"RECSYS_HOME": str(self.home), "RECSYS_DATA": str(self.data), "RECSYS_DATA_PATH": ""}
        arguments = (words, environment, self.terminal, before)
        process = self.context.Process(target=_recsys, args=arguments)
        process.start()
        return process

    def train(self, run_id: str, before: Callable[[], None] | None = None) -> BaseProcess:
        """Start or resume a run, whichever it needs."""
        planned = self.load(run_id).state is RunState.PLANNED
        return self.start("experiment", "run" if planned else "resume", run_id, before=before)

    def finish(self, run_id: str) -> int | None:
        """Train a run to its end and return the exit code."""
        process = self.train(run_id)
        process.join()
        return process.exitcode

    def load(self, run_id: str) -> Run:
        return store.load_run(run_id, self.settings)

    def folder(self, run_id: str) -> Path:
        return store.run_folder(run_id, self.settings)

    def epochs(self, run_id: str) -> list[int]:
        """Return the logged epochs in order; a repeated epoch is there twice."""
        lines = (self.folder(run_id) / "events.jsonl").read_text().splitlines()
        events = [json.loads(line) for line in lines]
        return [event["data"]["epoch"] for event in events if event["kind"] == "epoch"]

    def output(self) -> list[str]:
        """Return the lines that trainers have written so far."""
        with suppress(FileNotFoundError):
            return self.terminal.read_text().splitlines()
        return []

    def result(self, run_id: str) -> Result:
        """Return what a completed run left.

        Raises
        ------
        RecsysError
            It left no checkpoint, or a damaged one.
        """
        run, folder = self.load(run_id), self.folder(run_id)
        tensors, position = read_checkpoint(folder / "checkpoints" / LAST)
        state = hashlib.sha256(_canonical(position))
        for name in sorted(tensors):
            state.update(name.encode() + tensors[name].numpy().tobytes())
        metrics = {name: metric.value for name, metric in run.metrics.items()}
        return Result(
            weights=_hash((folder / "bundle" / "model.safetensors").read_bytes()),
            state=state.hexdigest()[:16],
            history=_hash(_canonical([run.state, run.best_epoch, run.history, metrics])),
        )


def killed(work: Callable[[Path, Connection], None], folder: Path, after_s: float) -> list[Any]:
    """Do ``work`` in a process, kill it ``after_s`` seconds after its first message; return all messages."""
    receiver, sender = trainers.Pipe(duplex=False)
    process = trainers.Process(target=work, args=(folder, sender))
    process.start()
    sender.close()
    messages = [receiver.recv()]
    time.sleep(after_s)
    process.kill()
    process.join()
    with suppress(EOFError):
        while True:
            messages.append(receiver.recv())
    return messages


def _recsys(
    words: tuple[str, ...],
    environment: Mapping[str, str],
    terminal: Path,
    before: Callable[[], None] | None,
) -> None:
    from movielens_recsys.cli.main import main

    os.environ.update(environment)
    descriptor = os.open(terminal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    sys.executable = "true"  # trackers sync in processes that take longer than the training
    if before:
        before()
    sys.exit(main(words))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _canonical(values: Any) -> bytes:
    return json.dumps(_without_clocks(values), sort_keys=True).encode()


def _without_clocks(values: Any) -> Any:
    if isinstance(values, Mapping):
        return {key: _without_clocks(value) for key, value in values.items() if key not in CLOCKS}
    if isinstance(values, list | tuple):
        return [_without_clocks(value) for value in values]
    return values
