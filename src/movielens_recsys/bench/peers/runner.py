"""Runs one peer on one job: reads the rows, lets the peer's script fit them, and writes the output.

    python -I runner.py FOLDER

The peer's own interpreter runs it, which has numpy and the peer but not this package. The files of a job are
described in docs/how-to/run-the-bench.md.

A peer's script has ``LIBRARY``, the module to import; ``DISTRIBUTIONS``, whose versions are reported; and

    fit(train, validation, job) -> a model

``train`` has ``users``, ``items``, ``ratings`` and ``timestamps`` (None where there are none); ``job`` has
``suite``, ``n_users``, ``n_items``, ``scale`` (lowest, highest, step), ``seed``, ``settings`` and, for lists,
``relevance_threshold``. The model has ``predict(users, items, timestamps)`` for ratings; for lists
``score(users)``, shape (users, n_items), or ``top(users, k)``: items without those of training, -1 past the
end of a list.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import json
import os
import resource
import signal
import sys
import time
from importlib import metadata
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

PARTS = ("validation", "test")
SINGLE_PREDICTIONS = 20
SINGLE_PREDICTIONS_S = 5.0
SCORES_PER_BLOCK = 4_000_000


def main(folder: Path) -> None:
    """Run the job in ``folder``."""
    die_with_parent()
    job = json.loads((folder / "job.json").read_text())
    script = load(Path(job["script"]))
    importlib.import_module(script.LIBRARY)
    train, validation = rows(folder / "train.npz"), rows(folder / "validation.npz")
    started = time.perf_counter()
    model = script.fit(train, validation, SimpleNamespace(**job))
    output: dict[str, Any] = {"fit_s": time.perf_counter() - started}
    if job["suite"] == "ranking":
        users = np.load(folder / "users.npy")
        started = time.perf_counter()
        lists = make_lists(model, users, train, job)
        output["predict_s"] = time.perf_counter() - started
        np.save(folder / "lists.npy", lists)
    else:
        pairs = {"validation": validation, "test": rows(folder / "test.npz")}
        started = time.perf_counter()
        predicted = {part: predict(model, pairs[part]) for part in PARTS}
        output["predict_s"] = time.perf_counter() - started
        output["latency_s"] = latency(model, pairs["test"])
        np.savez(folder / "predictions.npz", **predicted)
    output["peak_mb"] = peak_mb()
    output["versions"] = {name: metadata.version(name) for name in (*script.DISTRIBUTIONS, "numpy")}
    (folder / "output.json").write_text(json.dumps(output))


def load(path: Path) -> ModuleType:
    """Import a script by its path, under a name that no library uses."""
    spec = importlib.util.spec_from_file_location(f"peer_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is not a Python script")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(path: Path) -> SimpleNamespace:
    """Read the columns of one part."""
    with np.load(path, allow_pickle=False) as stored:
        return SimpleNamespace(**{"timestamps": None, **{name: stored[name] for name in stored.files}})


def predict(model: Any, pairs: SimpleNamespace) -> Any:
    """Return the predictions of every pair of one part."""
    if len(pairs.users) == 0:
        return np.zeros(0)
    return model.predict(pairs.users, pairs.items, pairs.timestamps)


def latency(model: Any, pairs: SimpleNamespace) -> float:
    """Return the median time of a single prediction in seconds, measured for a few seconds at most."""
    seconds: list[float] = []
    for row in range(min(SINGLE_PREDICTIONS, len(pairs.users))):
        if sum(seconds) > SINGLE_PREDICTIONS_S:
            break
        one = slice(row, row + 1)
        times = None if pairs.timestamps is None else pairs.timestamps[one]
        started = time.perf_counter()
        model.predict(pairs.users[one], pairs.items[one], times)
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds))


def make_lists(model: Any, users: Any, train: SimpleNamespace, job: dict[str, Any]) -> Any:
    """Return the first ``k`` items of each user's list, without those of training."""
    k = job["k"]
    if hasattr(model, "top"):
        return model.top(users, k)
    order = np.argsort(train.users, kind="stable")
    starts = np.searchsorted(train.users[order], np.arange(job["n_users"] + 1))
    lists = np.full((len(users), k), -1, dtype=np.int64)
    size = max(1, SCORES_PER_BLOCK // job["n_items"])
    for start in range(0, len(users), size):
        block = users[start : start + size]
        scores = np.array(model.score(block), dtype=np.float64)
        for row, user in enumerate(block):
            scores[row, train.items[order[starts[user] : starts[user + 1]]]] = -np.inf
        first = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        found = np.take_along_axis(scores, first, axis=1) > -np.inf
        lists[start : start + size, : first.shape[1]] = np.where(found, first, -1)
    return lists


def peak_mb() -> float:
    """Return the peak resident memory of this process, in MB."""
    try:
        line = next(
            line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
        )
        return int(line.split()[1]) / 1024
    except (OSError, StopIteration):
        per_mb = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / per_mb


def die_with_parent() -> None:
    """Ask Linux to kill this process when the bench is killed, so that no orphan keeps computing."""
    if sys.platform == "linux":
        parent_death_signal = 1
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)
        if os.getppid() == 1:
            raise SystemExit("the bench has ended")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
