"""Samples per second, memory, hours and dollars of the plan's architecture at ML-32M's shape.

Generated ratings, as many as ML-32M's training part: 25.5 million by 200,948 users of 43,884 items. Each
precision trains --steps steps of 2,048; its speed is the median over steps after the first tenth. Hours and
dollars are extrapolated from it, not measured. The plan says 4 to 6 hours and $4 for a whole training on a
GPU of $0.79 per hour.

    python benchmarks/large_training.py [--template hybrid_vae_baseline] [--steps 200] [--device auto]
        [--precisions float32 bf16] [--devices 1] [--ratings 25500000] [--epochs 100] [--price 0.79]
"""

from __future__ import annotations

import argparse
import resource
import time
from contextlib import suppress

import numpy as np
import torch

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.errors import TrainingStopped
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.training.fit import fit
from movielens_recsys.training.history import TrainingCallback
from movielens_recsys.training.session import TrainingSession

USERS, ITEMS = 200_948, 43_884
BATCH = 2048


class Stopwatch(TrainingCallback):
    """Records when each step ended, and stops the training after the last."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.times: list[float] = []

    def on_step(self, epoch: int, step: int, steps: int) -> None:
        """Record the time."""
        self.times.append(time.perf_counter())

    def stop(self) -> bool:
        """Whether all steps are done."""
        return len(self.times) >= self.steps

    def seconds_per_step(self) -> float:
        """Return the median time of a step, without the first tenth."""
        return float(np.median(np.diff(self.times)[len(self.times) // 10 :]))


def main() -> None:
    """Generate ratings, train some steps in each precision, print a row for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--template", default="hybrid_vae_baseline")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--precisions", nargs="+", choices=["float32", "bf16"], default=["float32", "bf16"])
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--ratings", type=int, default=25_500_000)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--price", type=float, default=0.79, help="dollars per hour")
    options = parser.parse_args()
    started = time.perf_counter()
    ratings = synthetic_ratings(USERS, ITEMS, options.ratings, seed=0).ratings
    split = make_split(ratings, RandomSplit(validation=0.001, test=0.001))
    print(f"{len(split.train):,} training rows, generated in {time.perf_counter() - started:.0f} s")
    print("| device | precision | samples/s | peak memory | hours per epoch | hours in all | dollars |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for precision in options.precisions:
        print(row(precision, split, options), flush=True)


def row(precision: str, split: Split, options: argparse.Namespace) -> str:
    """Return one row of the table."""
    changes = {"batch_size": BATCH, "precision": precision, "device": options.device}
    config = config_from_template(options.template, "large", {"training": changes})
    watch = Stopwatch(options.steps)
    on_gpu = options.device != "cpu" and torch.cuda.is_available()
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    with suppress(TrainingStopped):
        fit(
            config.model,
            config.training,
            split,
            TrainingSession(devices=options.devices, callbacks=[watch], stop=watch.stop),
        )
    speed = BATCH / watch.seconds_per_step()
    hours = len(split.train) / speed / 3600
    memory = (
        f"{torch.cuda.max_memory_allocated() / 2**30:.2f} GiB on the GPU"
        if on_gpu
        else f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB with the data"
    )
    name = torch.cuda.get_device_name() if on_gpu else "CPU"
    total = hours * options.epochs
    return (
        f"| {options.devices} x {name} | {precision} | {speed:,.0f} | {memory} | {hours:.2f} | {total:,.1f} "
        f"| {total * options.price * options.devices:,.2f} |"
    )


if __name__ == "__main__":
    main()
