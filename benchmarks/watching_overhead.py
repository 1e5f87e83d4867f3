"""Overhead of monitoring and logging: `fit` alone against a run with everything on.

Everything is: the event log, the cost, early warnings, hardware readings, copies to MLflow and W&B (offline),
and notifications to a server that does not exist. Both write checkpoints. A round trains the same network
twice, alone and watched, in alternating order, and is measured from the first step to the end of the last
epoch. The result is the geometric mean over rounds of (watched / alone) with Student's 95 % interval, of wall
seconds and of CPU seconds of the training process; the goal is below 1.02. The CPU seconds of the tracker
processes are printed apart, as is the time from a run's last event until its copies are complete.

    GOMP_SPINCOUNT=2000 python benchmarks/watching_overhead.py [--rounds 12] [--epochs 60] [--nothing]

`--nothing` compares `fit` with itself, to show the noise of the machine. Data are generated in the shape of
ML-100K. Needs the extra `wandb`.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from scipy import stats

from movielens_recsys.arrays import F64
from movielens_recsys.cli.notifications import notifications_for
from movielens_recsys.data.splits.split import Split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.experiments.execute import execute, load_split
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.settings import Settings, load_settings
from movielens_recsys.tracking.processes import TrackerProcesses
from movielens_recsys.training.fit import fit
from movielens_recsys.training.history import EpochMetrics, TrainingCallback
from movielens_recsys.training.session import TrainingSession

USERS, ITEMS, RATINGS = 943, 1682, 100_000
ENVIRONMENT = {
    "DISCORD_WEBHOOK_URL": f"https://discord.com/api/webhooks/{'1' * 18}/{'x' * 68}",
    "HTTPS_PROXY": "http://127.0.0.1:1",  # nothing listens there
    "WANDB_MODE": "offline",
}


class Stopwatch(TrainingCallback):
    """Reads both clocks from the first step to the end of the last epoch."""

    def __init__(self) -> None:
        self._began: F64 | None = None
        self.passed: F64 = np.zeros(2)

    def on_step(self, epoch: int, step: int, steps: int) -> None:
        """Start at the first step."""
        if self._began is None:
            self._began = _clocks()

    def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
        """Keep the seconds up to this epoch's end."""
        self.passed = _clocks() - self._began


def _clocks() -> F64:
    return np.array([time.perf_counter(), time.process_time()])


def alone(config: ExperimentConfig, split: Split, folder: Path) -> F64:
    """Train without monitoring; return wall and CPU seconds."""
    watch = Stopwatch()
    fit(config.model, config.training, split, TrainingSession(callbacks=[watch], checkpoint_folder=folder))
    return watch.passed


def watched(config: ExperimentConfig, settings: Settings) -> tuple[F64, float]:
    """Run with everything on; return the same, and the seconds from the last event to complete copies."""
    run_id, watch = store.create_run(config, settings).id, Stopwatch()
    with TrackerProcesses(run_id, settings, _silent), notifications_for(run_id, settings):
        execute(run_id, settings, TrainingSession(callbacks=[watch]))
        ended = time.perf_counter()
    return watch.passed, time.perf_counter() - ended


def experiment(folder: Path, epochs: int) -> ExperimentConfig:
    """Write the ratings, and return the experiment that trains on them for so many epochs."""
    ratings = synthetic_ratings(USERS, ITEMS, RATINGS, seed=0).ratings
    columns = (ratings.users, ratings.items, ratings.ratings, ratings.timestamps)
    lines = [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    (folder / "ratings.csv").write_text("\n".join(["user,item,rating,timestamp", *lines]) + "\n")
    changes = {
        "data": {"name": "generated", "path": str(folder / "ratings.csv")},
        "training": {"epochs": epochs, "early_stopping": None},
        "evaluation": {"bootstrap_samples": 100},
        "tracking": {"wandb_project": "overhead"},
    }
    return config_from_template("quickstart", "overhead", changes)


def main() -> None:
    """Print one row per round, and the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--nothing", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {
            **ENVIRONMENT,
            "RECSYS_HOME": str(folder / "home"),
            "RECSYS_DATA": str(folder / "data"),
        }
        settings, config = load_settings(), experiment(folder, options.epochs)
        split = load_split(config, settings)
        warm_up = config.model_copy(update={"training": config.training.model_copy(update={"epochs": 1})})
        alone(warm_up, split, folder / "warm"), watched(warm_up, settings)
        print(f"{len(split.train):,} rows, {options.epochs} epochs, {torch.get_num_threads()} threads")
        ratios, waits, others = [], [], _children()
        for number in range(1, options.rounds + 1):
            passed: dict[str, F64] = {}
            for variant in ("alone", "watched") if number % 2 else ("watched", "alone"):
                if variant == "alone" or options.nothing:
                    passed[variant] = alone(config, split, folder / f"{variant}_{number}")
                else:
                    passed[variant], wait = watched(config, settings)
                    waits.append(wait)
            ratios.append(passed["watched"] / passed["alone"])
            print(
                f"round {number}: alone {passed['alone'][0]:.2f} s, watched {passed['watched'][0]:.2f} s, "
                f"ratio {ratios[-1][0]:.3f}, CPU {ratios[-1][1]:.3f}",
                flush=True,
            )
        others = (_children() - others) / options.rounds
    for name, column in zip(("wall time", "CPU time"), np.log(ratios).T, strict=True):
        interval = stats.t.interval(0.95, len(column) - 1, loc=column.mean(), scale=stats.sem(column))
        mean, low, high = np.exp([column.mean(), *interval])
        print(f"{name:10} ratio {mean:.4f} [{low:.4f}, {high:.4f}], median {np.exp(np.median(column)):.4f}")
    if waits:
        print(f"a run's other processes: {others:.1f} CPU seconds")
        print(f"from its last event to complete copies: median {np.median(waits):.1f} s")


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _silent(message: str) -> None:
    """Discard the message."""


if __name__ == "__main__":
    sys.exit(main())
