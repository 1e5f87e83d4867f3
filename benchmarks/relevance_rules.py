"""Rules for the relevance threshold, on the scale of the data and on others that they are mapped to.

    python benchmarks/relevance_rules.py [--data ml-100k ml-latest-small ml-1m]

Each data set is taken as it is and mapped to 1 to 10 and to likes (1 from 4 stars on, else 0). For each rule:
the share of the held-out ratings that are relevant, of the users who have none, NDCG@10 under `full` of four
models, NDCG@10 under `rated` of a random order, and how often a rule puts two models in the same order as the
rule of 4 stars on the original scale. The models are fitted to the original ratings, random 80/10/10, seed 0.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.evaluation.config import EvaluationConfig
from movielens_recsys.evaluation.evaluate import evaluate
from movielens_recsys.evaluation.report import Report
from movielens_recsys.models.base import Model
from movielens_recsys.models.baselines_config import PopularityConfig, UserItemBiasConfig
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.models.implicit.item_knn_config import ItemKNNConfig

MODELS = {
    "popularity": PopularityConfig(),
    "bias": UserItemBiasConfig(),
    "item_knn": ItemKNNConfig(min_positive_rating="middle"),
    "ease": EASEConfig(min_positive_rating="middle"),
}
CONFIG = EvaluationConfig(bootstrap_samples=100)
Relevant = NDArray[np.bool_]


def own_mean(split: Split) -> NDArray[np.float64]:
    """Return each row's mean training rating of its user; the overall mean for users without one."""
    train, n = split.part("train"), split.ratings.n_users
    counts = np.bincount(train.users, minlength=n)
    sums = np.bincount(train.users, train.ratings, n)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), train.ratings.mean())
    return means[split.ratings.users]


def median(split: Split) -> float:
    """Return the median training rating."""
    return float(np.median(split.part("train").ratings))


RULES: Mapping[str, Callable[[Split], Relevant]] = {
    "4 or more": lambda split: split.ratings.ratings >= 4,
    "half of the width": lambda split: split.ratings.ratings >= split.ratings.scale.at_share(0.5),
    "3/4 of the width": lambda split: split.ratings.ratings >= split.ratings.scale.at_share(0.75),
    "median": lambda split: split.ratings.ratings >= median(split),
    "own mean": lambda split: split.ratings.ratings >= own_mean(split),
}


def mapped(ratings: Ratings, scale: str) -> Ratings:
    """Return the ratings on another scale."""
    if scale == "likes":
        return replace(ratings, ratings=(ratings.ratings >= 4).astype(np.float32), scale=Scale(0, 1, 1))
    if scale == "1 to 10":
        place = (ratings.ratings - ratings.scale.minimum) / ratings.scale.span
        return replace(ratings, ratings=np.rint(1 + 9 * place).astype(np.float32), scale=Scale(1, 10, 1))
    return ratings


def measure(models: Mapping[str, Model], split: Split, relevant: Relevant) -> dict[str, Report]:
    """Evaluate rankings where the ``relevant`` rows are."""
    binary = replace(split.ratings, ratings=relevant.astype(np.float32), scale=Scale(0, 1, 1))
    return {
        name: evaluate(model, replace(split, ratings=binary), config=CONFIG) for name, model in models.items()
    }


def same_order(ours: Mapping[str, float], reference: Mapping[str, float]) -> str:
    """Return how many pairs of models have the same order."""
    pairs = list(itertools.combinations(ours, 2))
    same = sum((ours[a] - ours[b]) * (reference[a] - reference[b]) > 0 for a, b in pairs)
    return f"{same} of {len(pairs)}"


def study(name: str) -> None:
    """Print the rows of one data set."""
    original = make_split(load_ratings(name, fetch=False), RandomSplit())
    models = {model: build_model(config, original.part("train")) for model, config in MODELS.items()}
    reference: dict[str, float] = {}
    for scale in ("as it is", "1 to 10", "likes"):
        split = replace(original, ratings=mapped(original.ratings, scale))
        for rule, relevant_rows in RULES.items():
            relevant = relevant_rows(split)
            if not relevant[split.test].any():
                print(f"| {name} | {scale} | {rule} | 0.0 % | no metric |")
                continue
            reports = measure(models, split, relevant)
            one = reports["ease"]
            ndcg = {model: report.metric_value("ndcg@10", "full").value for model, report in reports.items()}
            reference = reference or ndcg
            random = one.metric_value("ndcg@10", "rated", reference="random").value
            values = ", ".join(f"{value:.3f}" for value in ndcg.values())
            print(
                f"| {name} | {scale} | {rule} | {relevant[split.test].mean():.1%} "
                f"| {one.users_without_relevant / one.n_users:.1%} | {values} | {random:.3f} "
                f"| {same_order(ndcg, reference)} |",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", default=["ml-100k", "ml-latest-small", "ml-1m"])
    print(f"| data | scale | rule | relevant | users without | {', '.join(MODELS)} | random, rated | order |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for data in parser.parse_args().data:
        study(data)
