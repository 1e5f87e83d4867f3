"""Seconds and memory from a rating file to `Ratings`, cold and from the cache.

    python benchmarks/data_loading.py [--large]

Protocol. Two generated data sets in a temporary folder: 10 million rows in ML-10M's layout (``::``, half
stars, 70,000 users, 10,700 items) and, with ``--large``, 32 million in ML-32M's (CSV, 200,948 users,
84,432 items); no user rates an item twice. Each measurement runs in a new process, which has its own
peak resident memory: ``cold`` reads, cleans, checks (`check_ratings`) and writes the cache; ``warm`` loads
from the cache. Imports are not counted. The file is in the page cache of the system, as after a download.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.quality.checks import check_ratings
from movielens_recsys.settings import Settings

SHAPES = {
    "10M rows, ::": (10_000_000, 70_000, 10_700, "ratings.dat"),
    "32M rows, CSV": (32_000_000, 200_948, 84_432, "ratings.csv"),
}
CHUNK_USERS = 10_000


def generate(path: Path, rows: int, users: int, items: int) -> None:
    """Write ``rows`` ratings, users ascending, each with distinct items at random and a session's times."""
    rng = np.random.default_rng(0)
    per_user = np.full(users, rows // users)
    per_user[: rows % users] += 1
    with path.open("wb") as out:
        if path.suffix == ".csv":
            out.write(b"userId,movieId,rating,timestamp\n")
        for start in range(0, users, CHUNK_USERS):
            counts = per_user[start : start + CHUNK_USERS]
            user = np.repeat(np.arange(start + 1, start + 1 + len(counts)), counts)
            step = np.arange(len(user)) - np.repeat(np.cumsum(counts) - counts, counts)
            stride = items // int(counts.max())
            item = 1 + step * stride + rng.integers(0, stride, len(user))
            columns = {
                "user": user,
                "item": item,
                "rating": rng.integers(1, 11, len(user)) / 2,
                "time": 800_000_000 + user * 3_000 + step * 17,
            }
            write_rows(pl.DataFrame(columns), out, path.suffix)


def write_rows(frame: pl.DataFrame, out: object, suffix: str) -> None:
    """Append rows in the layout that the suffix names."""
    separator = "::" if suffix == ".dat" else ","
    line = pl.concat_str(pl.all().cast(pl.String), separator=separator)
    frame.select(line.alias("line")).write_csv(out, include_header=False, quote_style="never")


def measure(folder: Path, home: Path) -> dict[str, float]:
    """Load once in this process; return seconds and peak resident memory in GB."""
    settings = Settings(data=home)
    started = time.perf_counter()
    ratings = load_ratings(folder, settings)
    loaded = time.perf_counter()
    cold = os.environ["BENCHMARK_PART"] == "cold"
    findings = check_ratings(ratings) if cold else []
    return {
        "load_s": loaded - started,
        "check_s": time.perf_counter() - loaded,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "rows": len(ratings),
        "findings": len(findings),
    }


def in_new_process(part: str, folder: Path, home: Path) -> dict[str, float]:
    """Run `measure` in a new process."""
    command = [sys.executable, __file__, "--measure", str(folder), str(home)]
    environment = {**os.environ, "BENCHMARK_PART": part}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--large", action="store_true", help="also 32 million rows")
    parser.add_argument("--measure", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(*options.measure)))
        return
    print(f"{os.cpu_count()} cores; numpy {np.__version__}, polars {pl.__version__}")
    print(f"{'data':14} {'part':5} {'load s':>7} {'check s':>8} {'total s':>8} {'peak GB':>8}")
    for name, (rows, users, items, file_name) in SHAPES.items():
        if rows > 10_000_000 and not options.large:
            continue
        with tempfile.TemporaryDirectory() as folder:
            data, home = Path(folder) / "set", Path(folder) / "home"
            data.mkdir()
            generate(data / file_name, rows, users, items)
            # A file that changed within the last seconds is hashed again at each load; a download is older.
            time.sleep(3)
            for part in ("cold", "warm"):
                measured = in_new_process(part, data, home)
                if measured["rows"] != rows:
                    raise SystemExit(f"{name}: {measured['rows']} of {rows} rows came back")
                load_s, check_s = measured["load_s"], measured["check_s"]
                print(
                    f"{name:14} {part:5} {load_s:7.2f} {check_s:8.2f} {load_s + check_s:8.2f} "
                    f"{measured['peak_gb']:8.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
