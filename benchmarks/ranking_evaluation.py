"""Seconds to evaluate rankings of 6,040 users x 3,706 items, without the recommender's scoring.

Run ``python benchmarks/ranking_evaluation.py``. The data has ML-1M's shape (1,000,209 ratings, long tails
of users and items) and is made from a seed; the split is random 80/10/10. The recommender returns slices
of a matrix in memory, so only masking, selecting, ordering, metrics and intervals are timed. Each value is
the best of three runs after a warm-up. Target: both protocols in under 2 s on 2 cores.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.data.splits.split import Split
from movielens_recsys.evaluation.bootstrap import resampled
from movielens_recsys.evaluation.candidates import HeldOut, rank_top_k
from movielens_recsys.evaluation.config import EvaluationConfig
from movielens_recsys.evaluation.evaluate import evaluate
from movielens_recsys.evaluation.per_user import ranking_aggregates

N_USERS, N_ITEMS, N_RATINGS, K = 6_040, 3_706, 1_000_209, 10


class MatrixRecommender:
    """Scores and ratings from a matrix in memory."""

    n_users, n_items = N_USERS, N_ITEMS

    def __init__(self, matrix: np.ndarray) -> None:
        self.matrix = matrix

    def predict(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Return the matrix's values of the pairs."""
        return self.matrix[users, items]

    def score(self, users: np.ndarray) -> np.ndarray:
        """Return the matrix's rows."""
        return self.matrix[users]

    def fold_in(self, items: np.ndarray, ratings: np.ndarray) -> np.ndarray:
        """Return the same row for every history."""
        return self.matrix[0]


def ml_1m_shape(seed: int = 0) -> Split:
    """Make a random 80/10/10 split of ML-1M's shape: distinct pairs, popularity and activity falling."""
    rng = np.random.default_rng(seed)
    activity = rng.pareto(1.5, N_USERS) + 0.2
    appeal = rng.pareto(0.8, N_ITEMS) + 0.1
    n_samples = int(N_RATINGS * 12)
    users = rng.choice(N_USERS, n_samples, p=activity / activity.sum())
    items = rng.choice(N_ITEMS, n_samples, p=appeal / appeal.sum())
    pairs = rng.permutation(np.unique(users.astype(np.int64) * N_ITEMS + items))[:N_RATINGS]
    ratings = Ratings(
        name="ml-1m shape",
        users=(pairs // N_ITEMS).astype(np.int32),
        items=(pairs % N_ITEMS).astype(np.int32),
        ratings=rng.choice([1, 2, 3, 4, 5], len(pairs), p=[0.06, 0.11, 0.26, 0.35, 0.22]).astype(np.float32),
        timestamps=None,
        user_ids=np.arange(N_USERS),
        item_ids=np.arange(N_ITEMS),
        scale=Scale(1, 5, 1),
    )
    order = rng.permutation(len(pairs))
    tenth = len(pairs) // 10
    test, validation, train = (np.sort(rows) for rows in np.split(order, [tenth, 2 * tenth]))
    return Split(ratings, RandomSplit(seed=seed), train, validation, test)


def best_of_three(work: Callable[[], object]) -> float:
    """Return the least seconds of three runs after a warm-up."""
    work()
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def main() -> None:
    """Time the parts and the whole."""
    split = ml_1m_shape()
    held = HeldOut.of(split, "test", 4.0)
    matrix = np.random.default_rng(1).uniform(1, 5, (N_USERS, N_ITEMS)).astype(np.float32)
    recommender = MatrixRecommender(matrix)
    constant = MatrixRecommender(np.full_like(matrix, 3.5))
    rankings = rank_top_k(recommender, held, K, ("full", "rated"), seed=0)
    sums = ranking_aggregates("full", rankings["full"], held)
    print(f"{len(split.ratings):,} ratings, {len(held.users):,} users evaluated, {N_ITEMS:,} items, k = {K}")
    rows: dict[str, Callable[[], object]] = {
        "held-out ratings by user": lambda: HeldOut.of(split, "test", 4.0),
        "full: rankings": lambda: rank_top_k(recommender, held, K, ("full",), seed=0),
        "full: rankings, all scores tied": lambda: rank_top_k(constant, held, K, ("full",), seed=0),
        "rated: rankings": lambda: rank_top_k(recommender, held, K, ("rated",), seed=0),
        "both: rankings in one pass": lambda: rank_top_k(recommender, held, K, ("full", "rated"), seed=0),
        "metrics of one protocol": lambda: ranking_aggregates("full", rankings["full"], held),
        "1,000 resamples": lambda: resampled(sums, 1000, 0),
        "evaluate, with 3 reference rows": lambda: evaluate(recommender, split, config=EvaluationConfig(k=K)),
    }
    for name, work in rows.items():
        print(f"{name:34s} {best_of_three(work):6.3f} s")


if __name__ == "__main__":
    main()
