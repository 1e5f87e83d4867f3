"""False alarms and detection rate of each early warning, on simulated histories.

Healthy histories are simulated in the shape of recorded ones (ML-100K, `quickstart`): a validation
RMSE that still falls at epoch 20, under noise of 0.001 to 0.0025 stars; a KL that leaves the prior within ten
epochs; a loss gap that ends at 0.02 to 0.12; gradient norms of 0.1 to 2; a speed that wavers by a tenth, with
one epoch in a hundred three times as slow. A false alarm is a warning at any epoch of such a history.
Faulty histories are the same with one fault added; their value is the share in which the warning
of that fault came.

`memory` and `checkpoint_age` are checked within epochs, on one measurement. A healthy run is simulated as 500
readings of a memory that fills within the first tenth to 30 to 85 % and wavers by a hundredth; a faulty one
goes on filling to 92 to 99 %. A healthy run saves 50 times, each 300 s after the last, takes up to 60 s for
the step under way and up to 120 s to write; in a faulty one a save takes 15 minutes to an hour longer.

    python benchmarks/early_warnings.py [--healthy 5000] [--faulty 1000] [--seed 0]

`--record FOLDER` trains the recorded histories of the tests again: seven minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits.split import make_split
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.settings import load_settings
from movielens_recsys.training.early_warnings import (
    DETECTORS,
    WarningThresholds,
    checkpoint_age,
    detect,
    memory,
)
from movielens_recsys.training.fit import fit
from movielens_recsys.training.history import EpochMetrics

History = list[EpochMetrics]
Random = np.random.Generator

RECORDED = {
    "quickstart_seed_0": ("quickstart", {}),
    "quickstart_seed_1": ("quickstart", {"training": {"seed": 1}}),
    "quickstart_seed_2": ("quickstart", {"training": {"seed": 2}}),
    "neural_cf": ("neural_cf_baseline", {}),
    "word_for_word": ("hybrid_vae_word_for_word", {}),
    "optimized": ("hybrid_vae_optimized", {}),
    "collapsed": ("quickstart", {"training": {"kl_weight": 0.1, "weight_decay": 0.0003}}),
    "overfitting": (
        "quickstart",
        {
            "model": {"dropout": 0.0},
            "training": {"weight_decay": 0.0, "learning_rate": 0.005, "epochs": 25, "early_stopping": None},
        },
    ),
    "high_learning_rate": (
        "quickstart",
        {
            "training": {
                "learning_rate": 0.1,
                "epochs": 12,
                "gradient_clip_norm": None,
                "early_stopping": None,
            }
        },
    ),
}


def healthy(rng: Random) -> History:
    """Simulate a training without a fault."""
    epochs = int(rng.integers(20, 61))
    t = np.arange(epochs)
    fast = rng.uniform(0.10, 0.25) * np.exp(-t / rng.uniform(3, 8))
    slow = rng.uniform(0.02, 0.08) * np.exp(-t / rng.uniform(15, 40))
    rmse = 0.92 + fast + slow + rng.normal(0, rng.uniform(0.001, 0.0025), epochs)
    kl = 0.01 + rng.uniform(0.1, 0.8) / (1 + np.exp(rng.uniform(1, 9) - t)) * rng.lognormal(0, 0.05, epochs)
    loss = rmse**2 + 0.01 * kl
    gap = -0.15 * np.exp(-t) + rng.uniform(0.02, 0.12) * t / epochs + rng.normal(0, 0.003, epochs)
    norm = rng.uniform(0.1, 2) * rng.lognormal(0, 0.3, epochs)
    speed = rng.uniform(1e4, 1e6) * rng.lognormal(0, 0.1, epochs)
    speed[rng.random(epochs) < 0.01] /= 3
    return [
        EpochMetrics(
            epoch=i + 1,
            train_loss=float(loss[i] - gap[i]),
            val_loss=float(loss[i]),
            val_mse=float(rmse[i] ** 2),
            val_rmse=float(rmse[i]),
            val_kl=float(kl[i]),
            learning_rate=1e-3,
            samples_per_s=float(speed[i]),
            gradient_norm=float(norm[i]),
        )
        for i in range(epochs)
    ]


def plateau(history: History, rng: Random) -> History:
    """Keep the validation RMSE at the value of an early epoch, under the same noise."""
    start = int(rng.integers(3, 13))
    level, noise = history[start].val_rmse, rng.uniform(0.001, 0.0025)
    return [
        record if i <= start else replace(record, val_rmse=level + float(rng.normal(0, noise)))
        for i, record in enumerate(history)
    ]


def stuck(history: History, rng: Random) -> History:
    """Let the training loss waver by a thousandth about that of the first epoch."""
    first = history[0].train_loss
    return [replace(record, train_loss=first * float(rng.normal(1, 0.001))) for record in history]


def collapse(history: History, rng: Random) -> History:
    """Let the KL decay from some epoch on by a tenth to a half an epoch, as the recorded one does."""
    start, rate = int(rng.integers(0, 10)), rng.uniform(0.1, 0.5)
    return [
        replace(record, val_kl=record.val_kl * float(np.exp(-rate * max(0, i - start))))
        for i, record in enumerate(history)
    ]


def overfitting(history: History, rng: Random) -> History:
    """Let the gap grow to between 0.2 and 0.6."""
    end = rng.uniform(0.2, 0.6)
    return [
        replace(record, train_loss=record.val_loss - float(end) * i / (len(history) - 1))
        for i, record in enumerate(history)
    ]


def long_gradients(history: History, rng: Random) -> History:
    """Let the gradient norm be 20 to 200 from some epoch on."""
    start = int(rng.integers(1, 15))
    return [
        record if i < start else replace(record, gradient_norm=float(rng.uniform(20, 200)))
        for i, record in enumerate(history)
    ]


def spike(history: History, rng: Random) -> History:
    """Let the training loss jump in one epoch, to between 1.7 and 5 times itself."""
    at = int(rng.integers(2, len(history)))
    loss = history[at].train_loss * float(rng.uniform(1.7, 5))
    return [replace(record, train_loss=loss) if i == at else record for i, record in enumerate(history)]


def slow_down(history: History, rng: Random) -> History:
    """Let throughput fall to between a tenth and four tenths from some epoch on."""
    start, share = int(rng.integers(4, len(history) - 2)), float(rng.uniform(0.1, 0.4))
    return [
        record if i < start else replace(record, samples_per_s=record.samples_per_s * share)
        for i, record in enumerate(history)
    ]


FAULTS: dict[str, Callable[[History, Random], History]] = {
    "poor_convergence": stuck,
    "validation_plateau": plateau,
    "posterior_collapse": collapse,
    "loss_gap": overfitting,
    "gradient_norm": long_gradients,
    "loss_spike": spike,
    "throughput_fall": slow_down,
}


def memory_warns(rng: Random, *, fault: bool) -> bool:
    """Simulate a run's memory; return whether any reading gave a warning."""
    t = np.linspace(0, 1, 500)
    shares = rng.uniform(0.3, 0.85) * np.minimum(10 * t, 1) + rng.normal(0, 0.01, len(t))
    if fault:
        shares = np.maximum(shares, rng.uniform(0.92, 0.99) * t)
    thresholds = WarningThresholds()
    return any(memory(float(share), thresholds) for share in shares)


def checkpoint_age_warns(rng: Random, *, fault: bool) -> bool:
    """Simulate a run's saves; return whether one was late enough for a warning."""
    ages = 300 + rng.uniform(0, 60, 50) + rng.uniform(0, 120, 50)
    if fault:
        ages[rng.integers(50)] += rng.uniform(900, 3600)
    thresholds = WarningThresholds()
    return any(checkpoint_age(float(age), thresholds) for age in ages)


MEASUREMENTS = {"memory": memory_warns, "checkpoint_age": checkpoint_age_warns}


def warnings_of(history: History) -> set[str]:
    """Return the names of all warnings during a training with this ``history``."""
    thresholds = WarningThresholds()
    return {
        finding.name for end in range(1, len(history) + 1) for finding in detect(history[:end], thresholds)
    }


def interval(count: int, n: int) -> str:
    """Return the share with Wilson's 95 % interval."""
    z, p = 1.96, count / n
    middle, half = p + z * z / (2 * n), z * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    low, high = ((middle + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    return f"{p:7.2%} [{max(0.0, low):.2%}, {high:.2%}]"


def record(folder: Path) -> None:
    """Train each recorded run and write its history."""
    settings = load_settings()
    for name, (template, modifications) in RECORDED.items():
        config = config_from_template(template, name, modifications)
        split = make_split(load_ratings(config.data.name, settings), config.split)
        _, result = fit(config.model, config.training, split)
        lines = ",\n".join(json.dumps(record.to_json()) for record in result.history)
        (folder / f"{name}.json").write_text(f"[\n{lines}\n]\n")
        print(
            f"{name}: {len(result.history)} epochs, best {result.best_epoch}, {result.seconds:.0f} s",
            flush=True,
        )


def main() -> None:
    """Print one row per warning."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--healthy", type=int, default=5_000)
    parser.add_argument("--faulty", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--record", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    if options.record:
        record(options.record)
        return
    rng = np.random.default_rng(options.seed)
    started, epochs = time.perf_counter(), 0
    alarms = []
    for _ in range(options.healthy):
        history = healthy(rng)
        epochs += len(history)
        alarms.append(warnings_of(history))
    seconds = time.perf_counter() - started
    print(f"{options.healthy:,} healthy histories, {options.faulty:,} of each fault, seed {options.seed}")
    print(f"{'warning':20} {'false alarms per run':>26} {'detection rate':>28}")
    for detector in DETECTORS:
        name = detector.__name__
        false = sum(name in names for names in alarms)
        right = sum(name in warnings_of(FAULTS[name](healthy(rng), rng)) for _ in range(options.faulty))
        print(f"{name:20} {interval(false, options.healthy):>26} {interval(right, options.faulty):>28}")
    for name, warns in MEASUREMENTS.items():
        false = sum(warns(rng, fault=False) for _ in range(options.healthy))
        right = sum(warns(rng, fault=True) for _ in range(options.faulty))
        print(f"{name:20} {interval(false, options.healthy):>26} {interval(right, options.faulty):>28}")
    print(f"{'any of a history':20} {interval(sum(map(bool, alarms)), options.healthy):>26}")
    print(f"{1e6 * seconds / epochs:.0f} microseconds per epoch, simulation included")


if __name__ == "__main__":
    main()
