"""Seconds and memory of cleaning, checking and splitting generated ratings of MovieLens' shapes.

    python benchmarks/splits_and_checks.py                # ML-1M's and ML-10M's shape
    python benchmarks/splits_and_checks.py ml-32m         # the largest

Protocol: each step runs once in a new process, which first generates the ratings (seed 0).
`seconds` is the step alone; `peak_gb` is the peak memory of the process, `before_gb` its memory when the
step began. Nothing is read from disk. Linux only (memory is read from /proc).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import polars as pl

from movielens_recsys.data.cleaning.rows import clean_rows
from movielens_recsys.data.config import (
    GlobalTemporalSplit,
    KFoldSplit,
    LeaveLastSplit,
    RandomSplit,
    UserTemporalSplit,
)
from movielens_recsys.data.quality.checks import check_ratings
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.data.splits.split import make_split, split_summary
from movielens_recsys.data.synthetic import synthetic_ratings

SHAPES = {
    "ml-1m": (6_040, 3_706, 1_000_209),
    "ml-10m": (69_878, 10_677, 10_000_054),
    "ml-32m": (200_948, 87_585, 32_000_204),
}
HALF_STARS = Scale(0.5, 5, 0.5)
SPLITS = {
    "random": RandomSplit(),
    "kfold": KFoldSplit(),
    "user_temporal": UserTemporalSplit(),
    "leave_last": LeaveLastSplit(),
    "global_temporal": GlobalTemporalSplit(),
}
STEPS = (
    "generate",
    "clean",
    "clean, scale unknown",
    "clean, 1 % duplicates",
    "check",
    *SPLITS,
    "split summary",
)


def as_file(ratings: Ratings, *, duplicates: float = 0.0) -> pl.DataFrame:
    """Return the table that a reader gives to `clean_rows`, with a share of its rows repeated at its end."""
    table = pl.DataFrame(
        {
            "user": ratings.user_ids[ratings.users],
            "item": ratings.item_ids[ratings.items],
            "rating": ratings.ratings.astype("float64"),
            "timestamp": ratings.timestamps,
        }
    )
    table = pl.concat([table, table.head(int(duplicates * table.height))], rechunk=True)
    return table.with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int64))


def prepare(step: str, shape: str):
    """Return the step as a function without arguments; its inputs are prepared here."""
    if step == "generate":
        return lambda: synthetic_ratings(*SHAPES[shape], seed=0, scale=HALF_STARS)
    ratings = synthetic_ratings(*SHAPES[shape], seed=0, scale=HALF_STARS).ratings
    if step.startswith("clean"):
        table = as_file(ratings, duplicates=0.01 if "duplicates" in step else 0.0)
        scale = None if "unknown" in step else HALF_STARS
        return lambda: clean_rows(table, scale)
    if step == "check":
        return lambda: check_ratings(ratings)
    if step == "split summary":
        split = make_split(ratings, RandomSplit())
        return lambda: split_summary(split)
    return lambda: make_split(ratings, SPLITS[step])


def memory_gb(field: str) -> float:
    """Return VmHWM (the peak) or VmRSS (now) of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 2**20


def measure(step: str, shape: str) -> None:
    """Run one step and print its measurements as a line of JSON."""
    run = prepare(step, shape)
    before = memory_gb("VmRSS")
    start = time.perf_counter()
    run()
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "before_gb": before, "peak_gb": memory_gb("VmHWM")}))


def main() -> None:
    """Measure every step on the named shapes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help=f"of {', '.join(SHAPES)}")
    parser.add_argument("--step", choices=STEPS, help="measure this step in this process")
    arguments = parser.parse_args()
    if arguments.step:
        measure(arguments.step, arguments.shapes[0])
        return
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, polars {pl.__version__}")
    for shape in arguments.shapes or ("ml-1m", "ml-10m"):
        print(f"\n{shape}: {SHAPES[shape][2]:,} ratings")
        print(f"{'step':<24}{'seconds':>9}{'before_gb':>11}{'peak_gb':>9}")
        for step in STEPS:
            command = [sys.executable, __file__, shape, "--step", step]
            measured = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            print(
                f"{step:<24}{measured['seconds']:>9.2f}{measured['before_gb']:>11.2f}{measured['peak_gb']:>9.2f}"
            )


if __name__ == "__main__":
    main()
