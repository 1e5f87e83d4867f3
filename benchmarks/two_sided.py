"""RMSE of the two-tower VAE, and of it with one part or variant changed, over training seeds.

    python benchmarks/two_sided.py [--data ml-100k] [--seeds 3] [--only base skip ...] [--test]

The template `hybrid_vae_two_sided`, with the settings that the bench gives it on large data, and the template
with one change at a time; random 90/10 (fold 0 of the tenths, split seed 0), 5 % of the rest is validation.
The epoch is chosen on validation. `--test` also reads the test part, once for each training, at the times of
its ratings and without them. A finished (change, seed) is kept under --home and not trained again.
Differences are paired by seed; their 95 % interval is Student's t over the seeds.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from movielens_recsys.bench.config import known_bench_models
from movielens_recsys.data.config import KFoldSplit
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.experiments.overrides import config_from_template, merge
from movielens_recsys.models.two_tower.recommender import TwoTowerRecommender
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.settings import load_settings
from movielens_recsys.training.fit import fit

TEMPLATE, BASE = "hybrid_vae_two_sided", "base"
CHANGES: dict[str, dict[str, Any]] = {
    BASE: {},
    "skip": {"model": {"variants": ["skip"]}},
    "attention": {"model": {"variants": ["attention"]}},
    "hierarchical": {"model": {"variants": ["hierarchical"]}},
    "no time": {"model": {"time_effects": False, "sessions": []}},
    "no genres and year": {"model": {"side_information": False}},
    "no latent noise": {"model": {"latent_noise": 0.0}},
    "one round": {"model": {"rounds": 1}},
    "squared error alone": {"training": {"nll_weight": 0.0}},
    "ID embeddings": {"model": {"id_embeddings": True}},
}
Row = dict[str, Any]


def main() -> None:
    """Train what is missing, print each result, then the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="ml-100k")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=CHANGES, default=list(CHANGES))
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--home", type=Path, default=Path(".recsys/results"))
    options = parser.parse_args()
    options.home.mkdir(parents=True, exist_ok=True)
    kept = options.home / f"two-sided-{options.data}.jsonl"
    split = make_split(load_ratings(options.data, load_settings()), KFoldSplit(folds=10, fold=0))
    done = read(kept)
    for seed in range(options.seeds):
        for name in options.only:
            row = done.get((name, seed))
            if row is None or (options.test and "test_rmse" not in row):
                row = done[name, seed] = train(changed_config(name, seed, split), split, test=options.test)
                with kept.open("a") as file:
                    file.write(json.dumps({"name": name, "seed": seed, **row}) + "\n")
            print(f"{name}, seed {seed}: {row}", flush=True)
    print(*table(done, options.only, options.seeds), sep="\n")


def changed_config(name: str, seed: int, split: Split) -> ExperimentConfig:
    """Return the template for data of this size, with one change."""
    bench_model = known_bench_models()[1][TEMPLATE]
    changes: dict[str, Any] = {"training": {"seed": seed, "device": "cpu"}}
    for layer in (*bench_model.modifications("accuracy", len(split.ratings)), CHANGES[name]):
        changes = merge(changes, layer)
    return config_from_template(TEMPLATE, "two_sided", changes)


def train(config: ExperimentConfig, split: Split, *, test: bool) -> Row:
    """Train once; return the metrics of the best epoch."""
    started = time.perf_counter()
    model, result = fit(config.model, config.training, split)
    assert isinstance(model, TwoTowerRecommender)
    assert result.best is not None
    row: Row = {"val_rmse": result.best.val_rmse, "epoch": result.best.epoch}
    row["seconds"] = round(time.perf_counter() - started)
    if test:
        rows = split.part("test")
        row["timeless_test_rmse"] = rmse(model.predict(rows.users, rows.items), rows.ratings)
        if rows.timestamps is not None:
            predicted = model.predict_at(rows.users, rows.items, rows.timestamps)
            row["test_rmse"] = rmse(predicted, rows.ratings)
    return row


def rmse(predicted: Any, ratings: Any) -> float:
    """Return the RMSE in stars."""
    return float(np.sqrt(np.mean((predicted.astype(np.float64) - ratings) ** 2)))


def read(path: Path) -> dict[tuple[str, int], Row]:
    """Return the kept rows; of several rows of one training the last."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {(row.pop("name"), row.pop("seed")): row for row in map(json.loads, lines)}


def table(done: dict[tuple[str, int], Row], names: list[str], seeds: int) -> list[str]:
    """Return a line for each change whose seeds are all trained."""
    lines = [
        "| change | val_rmse | difference | test RMSE | without the time | epochs | seconds |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    base = [done[BASE, seed]["val_rmse"] for seed in range(seeds) if (BASE, seed) in done]
    for name in names:
        rows = [done[name, seed] for seed in range(seeds) if (name, seed) in done]
        if len(rows) < seeds:
            continue
        cells = [f"{np.mean([row['val_rmse'] for row in rows]):.4f}"]
        cells.append("" if name == BASE or len(base) < seeds else difference(rows, base))
        for key in ("test_rmse", "timeless_test_rmse"):
            found = [row[key] for row in rows if key in row]
            cells.append(f"{np.mean(found):.4f}" if len(found) == seeds else "")
        cells += [", ".join(str(row[key]) for row in rows) for key in ("epoch", "seconds")]
        lines.append(f"| {' | '.join([name, *cells])} |")
    return lines


def difference(rows: list[Row], base: list[float]) -> str:
    """Return the mean difference in validation RMSE to the base, and over several seeds its interval."""
    gains = np.array([row["val_rmse"] for row in rows]) - base
    if len(gains) == 1:
        return f"{gains[0]:+.4f}"
    reach = stats.t.ppf(0.975, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains))
    return f"{gains.mean():+.4f} [{gains.mean() - reach:+.4f}, {gains.mean() + reach:+.4f}]"


if __name__ == "__main__":
    main()
