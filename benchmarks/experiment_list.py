"""Wall time of `recsys experiment list` over a thousand finished experiments, as a whole process.

Protocol: N finished experiments of 100 epochs each, with the readings of a machine with a GPU after every
epoch and 46 evaluation metrics, are written to a temporary RECSYS_HOME; each command is started REPEATS times
as a new process, output discarded. Printed is the median wall time, with interpreter start and imports;
the first start is not counted.

    python benchmarks/experiment_list.py [--runs 1000] [--epochs 100] [--repeats 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import events, store
from movielens_recsys.settings import Settings
from movielens_recsys.training.hardware_monitor import LABELS

METRICS = {f"metric_{number}_at_10_full": {"value": 0.5, "low": 0.4, "high": 0.6} for number in range(22)}
COMMANDS = {
    "recsys --help (target 0.5 s)": ["--help"],
    "recsys experiment list (target 2 s)": ["experiment", "list"],
    "recsys experiment search --where 'val_rmse<0.95'": ["experiment", "search", "--where", "val_rmse<0.95"],
}


def main() -> None:
    """Write the experiments, time the commands and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        for number in range(options.runs):
            write_finished(number, options.epochs, settings)
        size = sum(path.stat().st_size for path in settings.runs.glob("*/events.jsonl"))
        print(f"{options.runs} experiments of {options.epochs} epochs, {size / 1e6:.1f} MB of events")
        for name, words in COMMANDS.items():
            seconds = time_command(words, options.repeats, folder)
            print(f"{name}: median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s")


def write_finished(number: int, epochs: int, settings: Settings) -> None:
    """Write a completed experiment; its events at once, as syncing each of them takes minutes."""
    run = store.create_run(config_from_template("quickstart", f"run_{number:05d}"), settings)
    split = {"protocol": "random", "name": "random 80/10/10, seed 0", "hash": "b" * 64}
    log_events = [
        ("started", {"attempt": 1, "pid": 1, "code": {}, "environment": {}, "seeds": {}}),
        ("data", {"data": {"name": "ml-100k", "hash": "a" * 64}, "split": split}),
        *(event for epoch in range(1, epochs + 1) for event in epoch_events(epoch)),
        ("fitted", {"best_epoch": epochs, "stopped_because": "all epochs done", "seconds": 1.0}),
        *(("evaluated", evaluated(part, number)) for part in ("validation", "test")),
        ("completed", {"run_seconds": 1.0}),
    ]
    lines = [
        events.new_event(seq, kind, data).to_line() for seq, (kind, data) in enumerate(log_events, start=2)
    ]
    with (store.run_folder(run.id, settings) / events.FILE_NAME).open("ab") as log:
        log.write(b"".join(lines))


def epoch_events(epoch: int) -> list[tuple[str, dict[str, object]]]:
    """Return the log's events of an epoch of some seconds, on a machine with a GPU."""
    quantities = {name: [1234.0, 5678.0] for name in LABELS}
    return [
        ("epoch", {**epoch_record(epoch)}),
        ("utilization", {"epoch": epoch, "readings": 5, "quantities": quantities}),
    ]


def epoch_record(epoch: int) -> dict[str, float | bool]:
    """Return metrics with all digits, as training writes them."""
    rmse = 1.0 - epoch / 1234.567
    return {
        "epoch": epoch,
        "train_loss": rmse**2,
        "val_loss": rmse**2 + 0.00123456789,
        "val_mse": rmse**2,
        "val_rmse": rmse,
        "val_kl": 0.123456789,
        "learning_rate": 0.0005,
        "samples_per_s": 123456.789,
        "improved": True,
    }


def evaluated(part: str, number: int) -> dict[str, object]:
    """Return an evaluation with as many metrics as a real one."""
    rmse = 0.9 + number / 1e4
    metrics = {**METRICS, "rmse": {"value": rmse, "low": rmse - 0.02, "high": rmse + 0.02}}
    return {"part": part, "k": 10, "relevance_threshold": 4.0, "figures": metrics}


def time_command(words: list[str], repeats: int, home: str) -> list[float]:
    """Return the wall seconds of each start after the first."""
    seconds = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "movielens_recsys", *words],
            check=True,
            env={**os.environ, "RECSYS_HOME": home},
            stdout=subprocess.DEVNULL,
        )
        seconds.append(time.perf_counter() - started)
    return seconds[1:]


if __name__ == "__main__":
    main()
