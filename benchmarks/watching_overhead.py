"""What all watching and logging costs a training: `fit` alone against a run with everything on.

Everything is: the event log, the meter, early warnings, the readings of the machine, copies to MLflow and to
W&B (offline), and notifications to a server that is not there. Both sides write checkpoints. A round trains
the same network twice, alone and watched, in an order that changes from round to round, and is measured from
the first step to the end of the last epoch. The figure is the geometric mean over rounds of (watched / alone)
with Student's 95 % interval, of seconds on the clock and of the processor seconds of the process that trains;
the goal is below 1.02. The processes that feed the sinks use processor seconds of their own, which are
printed, as is the time from a run's last event until its copies are complete.

    GOMP_SPINCOUNT=2000 python benchmarks/watching_overhead.py [--rounds 12] [--epochs 60] [--nothing]

`--nothing` holds `fit` against itself: what the machine's noise alone makes of the figure. Data are generated
in the shape of ML-100K. Needs the extra `wandb`.
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
from movielens_recsys.cli.notify import notifications_for
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
SURROUNDINGS = {
    "DISCORD_WEBHOOK_URL": f"https://discord.com/api/webhooks/{'1' * 18}/{'x' * 68}",
    "HTTPS_PROXY": "http://127.0.0.1:1",  # where nothing listens
    "WANDB_MODE": "offline",
}


class Stopwatch(TrainingCallback):
    """Reads both clocks from the first step to the end of the last epoch."""

    def __init__(self) -> None:
        self._began: F64 | None = None
        self.passed: F64 = np.zeros(2)

    def on_step(self, epoch: int, step: int, steps: int) -> None:
        """Begin."""
        if self._began is None:
            self._began = _clocks()

    def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
        """Read."""
        self.passed = _clocks() - self._began


def _clocks() -> F64:
    return np.array([time.perf_counter(), time.process_time()])


def alone(config: ExperimentConfig, split: Split, folder: Path) -> F64:
    """Train without anybody looking; return seconds on the clock and of the processor."""
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
    """Print one row per round, and the figure."""
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
            **SURROUNDINGS,
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
            for side in ("alone", "watched") if number % 2 else ("watched", "alone"):
                if side == "alone" or options.nothing:
                    passed[side] = alone(config, split, folder / f"{side}_{number}")
                else:
                    passed[side], wait = watched(config, settings)
                    waits.append(wait)
            ratios.append(passed["watched"] / passed["alone"])
            print(
                f"round {number}: alone {passed['alone'][0]:.2f} s, watched {passed['watched'][0]:.2f} s, "
                f"ratio {ratios[-1][0]:.3f}, of the processor {ratios[-1][1]:.3f}",
                flush=True,
            )
        others = (_children() - others) / options.rounds
    for what, column in zip(("clock", "processor"), np.log(ratios).T, strict=True):
        spread = stats.t.interval(0.95, len(column) - 1, loc=column.mean(), scale=stats.sem(column))
        mean, low, high = np.exp([column.mean(), *spread])
        print(f"{what:10} ratio {mean:.4f} [{low:.4f}, {high:.4f}], median {np.exp(np.median(column)):.4f}")
    if waits:
        print(f"a run's other processes: {others:.1f} s of a processor")
        print(f"from its last event to complete copies: median {np.median(waits):.1f} s")


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _silent(message: str) -> None:
    """Let nobody hear it."""


if __name__ == "__main__":
    sys.exit(main())
