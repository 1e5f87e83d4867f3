"""Ranking models on random 80/20 over the whole catalogue, with two definitions of relevance.

    python benchmarks/lists.py [--data ml-1m] [--models ease ials ...]
    python benchmarks/lists.py --tune [--data ml-1m] [--models ...]

`--tune` fits on 70 % and prints P@10 on the next 10 % for each setting of `GRID`; the test part is not
read. Without it, the settings of `CHOSEN` are fitted on the whole 80 % and evaluated once on the 20 %: P@10
and NDCG@10 with every held-out item relevant (as in papers) and with those of 4 stars or more. P@10 is hits
among the first ten / 10, averaged over users with a relevant held-out item; NDCG@10 has binary gains, a log2
discount and an ideal ranking cut at ten. Brackets are 95 % intervals over users, and the last column is the
paired difference to EASE in P@10 with every held-out item relevant.
"""

from __future__ import annotations

import argparse
import itertools
import time
from typing import Any

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.evaluation.bootstrap import paired_difference
from movielens_recsys.evaluation.config import EvaluationConfig
from movielens_recsys.evaluation.evaluate import evaluate
from movielens_recsys.evaluation.report import MetricValue, Report
from movielens_recsys.models.base import Model
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.implicit.blend_config import ScoreBlendConfig
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.models.implicit.ials_config import IALSConfig
from movielens_recsys.models.implicit.item_knn_config import ItemKNNConfig
from movielens_recsys.models.implicit.mult_vae_config import MultVAEConfig
from movielens_recsys.settings import load_settings

Settings = dict[str, Any]

CONFIGS: dict[str, Any] = {
    "ease": EASEConfig,
    "ials": IALSConfig,
    "item_knn": ItemKNNConfig,
    "mult_vae": MultVAEConfig,
    "list_blend": ScoreBlendConfig,
}

GRID: dict[str, dict[str, dict[str, list[Any]]]] = {
    "ml-100k": {
        "ease": {"regularization": [150.0, 300.0, 600.0], "user_damping": [0.0, 0.5]},
        "ials": {
            "n_factors": [32, 64],
            "unobserved_weight": [0.2, 0.4],
            "regularization": [0.01, 0.02],
        },
        "item_knn": {"neighbours": [50, 100, 200], "shrinkage": [0.0, 20.0, 50.0]},
        "mult_vae": {"epochs": [40, 100], "kl_weight": [0.3, 1.0], "dropout": [0.5, 0.7]},
    },
    "ml-1m": {
        "ease": {"regularization": [500.0, 1_000.0, 1_500.0], "user_damping": [0.0, 0.4, 0.5]},
        "ials": {
            "n_factors": [64, 128],
            "unobserved_weight": [0.15, 0.2, 0.3],
            "regularization": [0.006, 0.01, 0.014],
        },
        "item_knn": {"neighbours": [100, 200, 400], "shrinkage": [0.0, 50.0, 200.0]},
        "mult_vae": {"epochs": [70], "kl_weight": [0.3, 1.0], "dropout": [0.5, 0.7]},
    },
}
CHOSEN: dict[str, dict[str, Settings]] = {
    "ml-100k": {
        "ease": {"regularization": 300.0, "user_damping": 0.5},
        "ials": {"n_factors": 64, "unobserved_weight": 0.2, "regularization": 0.02},
        "item_knn": {"neighbours": 200, "shrinkage": 20.0},
        "mult_vae": {"epochs": 100, "kl_weight": 1.0, "dropout": 0.5},
    },
    "ml-1m": {
        "ease": {"regularization": 1_000.0, "user_damping": 0.5},
        "ials": {"n_factors": 128, "unobserved_weight": 0.2, "regularization": 0.01},
        "item_knn": {"neighbours": 200, "shrinkage": 50.0},
        "mult_vae": {"epochs": 70, "kl_weight": 0.3, "dropout": 0.7},
    },
}
IALS_WEIGHTS = [0.5, 1.0, 1.5, 2.0]
BLEND_WEIGHT = {"ml-100k": 1.0, "ml-1m": 1.5}
COLUMNS = ("precision@10", "ndcg@10")


def main() -> None:
    """Tune on validation, or evaluate on test."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", choices=GRID, default="ml-1m")
    parser.add_argument("--models", nargs="+", choices=CONFIGS, default=list(CONFIGS))
    parser.add_argument("--tune", action="store_true")
    options = parser.parse_args()
    ratings = load_ratings(options.data, load_settings())
    split = make_split(ratings, RandomSplit(validation=0.1 if options.tune else 0.0, test=0.2, seed=0))
    if options.tune:
        tune(options.data, options.models, split)
    else:
        evaluate_all(options.data, options.models, split)


def chosen_settings(name: str, data: str) -> Settings:
    """Return the chosen settings of a model, as its configuration."""
    if name == "list_blend":
        return blend_settings(data, BLEND_WEIGHT[data])
    return {"name": name, **CHOSEN[data][name]}


def blend_settings(data: str, weight: float) -> Settings:
    """Return the blend of EASE and iALS whose scores count ``weight``."""
    parts = [
        {"model": chosen_settings("ease", data)},
        {"model": chosen_settings("ials", data), "weight": weight},
    ]
    return {"name": "list_blend", "members": parts}


def tune(data: str, models: list[str], split: Split) -> None:
    """Print a line for each setting."""
    for name in models:
        for values in candidates(name, data):
            started = time.perf_counter()
            report = evaluate_rankings(
                fitted(name, values, split), split, "validation", split.ratings.scale.minimum
            )
            metrics = "  ".join(f"{metric_value(report, column).value:.4f}" for column in COLUMNS)
            changed = {key: value for key, value in values.items() if key != "name"}
            print(f"{name:10} {metrics}  {time.perf_counter() - started:4.0f} s  {changed}", flush=True)


def candidates(name: str, data: str) -> list[Settings]:
    """Return every setting to try of one model."""
    if name == "list_blend":
        return [blend_settings(data, weight) for weight in IALS_WEIGHTS]
    grid = GRID[data][name]
    return [
        {"name": name, **dict(zip(grid, point, strict=True))} for point in itertools.product(*grid.values())
    ]


def evaluate_all(data: str, models: list[str], split: Split) -> None:
    """Print a row for each model."""
    lowest = split.ratings.scale.minimum
    print("| model | P@10, all | NDCG@10, all | P@10, 4+ | NDCG@10, 4+ | fit, s | P@10 less EASE's |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    ease: Report | None = None
    for name in models:
        started = time.perf_counter()
        model = fitted(name, chosen_settings(name, data), split)
        seconds = time.perf_counter() - started
        every, liked = (
            evaluate_rankings(model, split, "test", lowest),
            evaluate_rankings(model, split, "test", 4.0),
        )
        if ease is None:
            for row in ("random", "popularity", "perfect"):
                print(line(row, every.references[row], liked.references[row], "", ""), flush=True)
        ease = every if name == "ease" else ease
        distance = difference(every, ease) if ease not in (None, every) else ""
        print(line(name, every.metrics, liked.metrics, f"{seconds:.0f}", distance), flush=True)


def fitted(name: str, values: Settings, split: Split) -> Model:
    """Fit a model to the training rows."""
    return build_model(CONFIGS[name].parse(values), split.part("train"))


def evaluate_rankings(model: Model, split: Split, part: Any, relevance_threshold: float) -> Report:
    """Evaluate rankings of the whole catalogue."""
    config = EvaluationConfig(relevance_threshold=relevance_threshold, protocols=("full",))
    return evaluate(model, split, part=part, config=config)


def metric_value(report: Report, name: str) -> MetricValue:
    """Return one metric of a report."""
    return next(value for value in report.metrics if value.metric == name)


def line(name: str, every: tuple[MetricValue, ...], liked: tuple[MetricValue, ...], *rest: str) -> str:
    """Return a row of the table."""
    cells = [
        f"{found.value:.4f} [{found.low:.4f}, {found.high:.4f}]"
        for metrics in (every, liked)
        for column in COLUMNS
        for found in metrics
        if found.metric == column
    ]
    return f"| {' | '.join([f'`{name}`', *cells, *rest])} |"


def difference(report: Report, ease: Report) -> str:
    """Return the paired difference of P@10 with its interval."""
    assert report.per_user is not None
    assert ease.per_user is not None
    paired = paired_difference(report.per_user, ease.per_user, "precision@10", "full")
    return f"{paired.difference:+.4f} [{paired.low:+.4f}, {paired.high:+.4f}]"


if __name__ == "__main__":
    main()
