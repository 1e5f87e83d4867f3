"""The process that runs one job with a model of ours; it writes the same files as a peer's process.

    python -m movielens_recsys.bench.own_worker FOLDER

It loads the data itself, because our models may also use the tables of users and items.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from movielens_recsys.bench.jobs import PARTS
from movielens_recsys.bench.peers import runner
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.errors import BenchError
from movielens_recsys.evaluation.candidates import HeldOut, rank_top_k
from movielens_recsys.evaluation.evaluate import predict_pairs
from movielens_recsys.models.base import Model
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.settings import Settings
from movielens_recsys.training.fit import fit


def main(folder: Path) -> None:
    """Run the job in ``folder``."""
    runner.die_with_parent()
    job = json.loads((folder / "job.json").read_text())
    config = ExperimentConfig.parse(job["config"])
    ratings = load_ratings(job["data"], Settings(**job["data_folders"]), fetch=False)
    split = make_split(ratings, config.split)
    if split.hash != job["split_hash"] or ratings.content_hash != job["data_hash"]:
        raise BenchError("the data has changed since the job was written", next_step="run the bench again")
    started = time.perf_counter()
    model, result = fit(config.model, config.training, split)
    output: dict[str, Any] = {"fit_s": time.perf_counter() - started}
    output["passes"] = len(result.history) or getattr(config.model, "sweeps", 1)
    if job["suite"] == "ranking":
        output |= _write_lists(model, split, job, folder)
    else:
        output |= _write_predictions(model, split, folder)
    output["peak_mb"] = runner.peak_mb()
    output["versions"] = {}
    (folder / "output.json").write_text(json.dumps(output))


def _write_lists(model: Model, split: Split, job: dict[str, Any], folder: Path) -> dict[str, Any]:
    held_out = HeldOut.of(split, "test", job["relevance_threshold"])
    started = time.perf_counter()
    top_k = rank_top_k(model, held_out, job["k"], ("full",), job["seed"])["full"]
    seconds = time.perf_counter() - started
    np.save(folder / "lists.npy", top_k.items)
    return {"predict_s": seconds}


def _write_predictions(model: Model, split: Split, folder: Path) -> dict[str, Any]:
    predictor = _RatingPredictor(model)
    parts = {name: split.part(name) for name in PARTS}
    started = time.perf_counter()
    predicted = {
        name: predictor.predict(part.users, part.items, part.timestamps) for name, part in parts.items()
    }
    seconds = time.perf_counter() - started
    np.savez(folder / "predictions.npz", **predicted)
    test = parts["test"]
    pairs = SimpleNamespace(users=test.users, items=test.items, timestamps=test.timestamps)
    return {"predict_s": seconds, "latency_s": runner.latency(predictor, pairs)}


class _RatingPredictor:
    """Adapts one of our models to the interface of a peer's."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def predict(self, users: Any, items: Any, timestamps: Any) -> Any:
        return predict_pairs(self._model, users, items, timestamps)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
