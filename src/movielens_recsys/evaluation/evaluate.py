"""`evaluate`: from a recommender and a split to a `Report`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import FloatArray, IntArray
from movielens_recsys.data.splits.split import HeldOutPart, Split
from movielens_recsys.errors import EvaluationError
from movielens_recsys.evaluation import ranking
from movielens_recsys.evaluation.bootstrap import NO_BOOTSTRAP_INTERVAL, interval, resampled
from movielens_recsys.evaluation.candidates import HeldOut, Scorer, rank_top_k
from movielens_recsys.evaluation.config import EvaluationConfig
from movielens_recsys.evaluation.metrics import HELD_OUT, PROTOCOLS
from movielens_recsys.evaluation.per_user import PerUserMetrics, n_users_of, ranking_aggregates, value_of
from movielens_recsys.evaluation.rating import calibration, rating_aggregates, rating_counts
from movielens_recsys.evaluation.references import (
    PERFECT,
    POPULARITY,
    RANDOM,
    OracleScorer,
    PopularityScorer,
    RandomScorer,
)
from movielens_recsys.evaluation.report import MetricValue, Report
from movielens_recsys.recommender import Recommender, TimeAwareRecommender

PREDICTION_BLOCK = 262_144
"""Pairs asked for at a time."""

NO_REFERENCES: Mapping[str, Recommender] = MappingProxyType({})


class RatingPredictor(Protocol):
    """The part of a `Recommender` that predicts stars."""

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """Return predicted ratings, shape (n,)."""


def evaluate(
    recommender: Recommender,
    split: Split,
    *,
    part: HeldOutPart = "test",
    config: EvaluationConfig = EvaluationConfig(),  # noqa: B008 (frozen)
    references: Mapping[str, Recommender] = NO_REFERENCES,
) -> Report:
    """Judge a fitted recommender on one part of a split, beside reference rows.

    Parameters
    ----------
    recommender
        Fitted on the split's training rows.
    split
        Its ``part`` rows are predicted once and ranked once per protocol.
    config
        Cut-off, threshold of relevance, protocols, level and number of the bootstrap's samples.
    references
        Further rows by name, e.g. user+item bias; random, popularity and perfect are always there.

    Raises
    ------
    EvaluationError
        If the part is empty, nothing in it is relevant, or a recommender answers with the wrong
        shape or with values that are not finite.
    """
    started = time.perf_counter()
    held = HeldOut.of(split, part, config.relevance_threshold)
    predicted = _predict(recommender, held)
    judged = _measure(predicted, recommender, held, split, config)
    chance, perfect = RandomScorer.of(split, config.seed), OracleScorer(held)
    rows = {
        RANDOM: _measure(_predict(chance, held), chance, held, split, config),
        POPULARITY: _measure(None, PopularityScorer.of(held), held, split, config),
    }
    for name, other in references.items():
        rows[name] = _measure(_predict(other, held), other, held, split, config)
    rows[PERFECT] = _measure(_predict(perfect, held), perfect, held, split, config)
    figures = _figures(judged, config)
    cold_users, cold_items = held.train_users[held.users] == 0, held.train_counts[held.items] == 0
    return Report(
        part=part,
        data_name=split.ratings.name,
        data_hash=split.ratings.content_hash,
        split=split.config.model_dump(mode="json"),
        split_hash=split.hash,
        k=config.k,
        relevance_threshold=config.relevance_threshold,
        confidence=config.confidence,
        n_ratings=len(held.items),
        n_users=len(held.users),
        users_without_relevant=int(np.count_nonzero(held.n_relevant == 0)),
        cold_users=int(np.count_nonzero(cold_users)),
        cold_items=len(np.unique(held.items[cold_items])),
        cold_ratings=int(np.count_nonzero(cold_users[held.user_position] | cold_items)),
        figures=figures,
        references={name: _figures(row, config) for name, row in rows.items()},
        calibration=calibration(held.ratings, predicted, split.ratings.scale),
        stars=rating_counts(held.ratings, predicted, split.ratings.scale),
        formulas={figure.metric: figure.name.definition.formula for figure in figures},
        protocols={name: PROTOCOLS[name] for name in (HELD_OUT, *config.protocols)},
        seconds=time.perf_counter() - started,
        per_user=judged,
    )


def _measure(
    predicted: FloatArray | None, scorer: Scorer, held: HeldOut, split: Split, config: EvaluationConfig
) -> PerUserMetrics:
    """Return what each user contributes; without predictions there are ranking columns only."""
    lists = rank_top_k(scorer, held, config.k, config.protocols, config.seed)
    parts = [ranking_aggregates(protocol, lists[protocol], held) for protocol in config.protocols]
    if predicted is not None:
        scale = split.ratings.scale
        parts.append(rating_aggregates(held.user_position, held.ratings, predicted, scale, len(held.users)))
    sums = parts[0]
    for more in parts[1:]:
        sums = sums.beside(more)
    return PerUserMetrics(
        data_hash=split.ratings.content_hash,
        split_hash=split.hash,
        part=held.part,
        k=config.k,
        relevance_threshold=config.relevance_threshold,
        users=held.users,
        sums=sums,
        catalogue_metrics={
            f"{p}:coverage@{config.k}": ranking.coverage(lists[p].items, held.n_items) for p in lists
        },
    )


def predict_pairs(
    rater: RatingPredictor, users: IntArray, items: IntArray, timestamps: NDArray[np.int64] | None
) -> FloatArray:
    """Ask for every pair once, in blocks; one who predicts for a moment is told when it was.

    Raises
    ------
    EvaluationError
        If an answer has the wrong shape.
    """
    answers: list[FloatArray] = []
    for start in range(0, len(users), PREDICTION_BLOCK):
        block = slice(start, start + PREDICTION_BLOCK)
        if isinstance(rater, TimeAwareRecommender) and timestamps is not None:
            rated = rater.predict_at(users[block], items[block], timestamps[block])
        else:
            rated = rater.predict(users[block], items[block])
        answer = np.asarray(rated)
        if answer.shape != users[block].shape:
            raise EvaluationError(
                f"predictions of shape {answer.shape} for {len(users[block])} pairs",
                expected=f"shape {users[block].shape}: one rating per pair",
                next_step="correct the recommender's predict method",
            )
        answers.append(answer)
    return np.concatenate(answers) if answers else np.zeros(0, dtype=np.float32)


def _predict(rater: RatingPredictor, held: HeldOut) -> FloatArray:
    """Predict every held-out rating, and refuse what is no number."""
    users = held.users[held.user_position]
    predicted = predict_pairs(rater, users, held.items, held.timestamps)
    wrong = np.flatnonzero(~np.isfinite(predicted))
    if len(wrong):
        row = wrong[0]
        raise EvaluationError(
            f"the prediction for user {users[row]} and item {held.items[row]} is {predicted[row]}",
            expected="finite ratings",
            next_step="look for a diverged training or a division by zero in the recommender",
        )
    return predicted


def _figures(per_user: PerUserMetrics, config: EvaluationConfig) -> tuple[MetricValue, ...]:
    """Return all figures with their intervals, from one set of resamples."""
    total = per_user.sums.total()
    samples = resampled(per_user.sums, config.bootstrap_samples, config.seed)
    figures = []
    for metric, protocol in per_user.figures:
        n_users = n_users_of(metric, protocol, total)
        whole = per_user.catalogue_metrics.get(f"{protocol}:{metric}")
        value = float(value_of(metric, protocol, total)) if whole is None else whole
        low = high = None
        if whole is None and metric not in NO_BOOTSTRAP_INTERVAL and n_users > 1:
            low, high = interval(value_of(metric, protocol, samples), config.confidence)
        figures.append(MetricValue(metric, value, low, high, protocol, n_users))
    return tuple(figures)
