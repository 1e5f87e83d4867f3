"""`evaluate`: measures a recommender on one part of a split and returns a `Report`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import FloatArray, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.splits.split import HeldOutPart, Split
from movielens_recsys.errors import EvaluationError
from movielens_recsys.evaluation import ranking_metrics
from movielens_recsys.evaluation.bootstrap import NO_BOOTSTRAP_INTERVAL, interval, resampled
from movielens_recsys.evaluation.candidates import HeldOut, Scorer, rank_top_k
from movielens_recsys.evaluation.config import EvaluationConfig
from movielens_recsys.evaluation.metric_definitions import PROTOCOLS
from movielens_recsys.evaluation.per_user import PerUserMetrics, n_users_of, ranking_aggregates, value_of
from movielens_recsys.evaluation.rating_metrics import calibration, rating_aggregates, rating_counts
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
"""Pairs predicted at a time."""

NO_REFERENCES: Mapping[str, Recommender] = MappingProxyType({})


class RatingPredictor(Protocol):
    """The part of a `Recommender` that predicts ratings."""

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
    """Evaluate a fitted recommender on one part of a split, beside reference models.

    Parameters
    ----------
    recommender
        Fitted on the split's training rows.
    split
        Its ``part`` rows are predicted once and ranked once per protocol. Implicit data are only ranked, and
        under `full` alone.
    config
        Cut-off, relevance threshold, protocols, interval level and number of bootstrap samples.
    references
        Further models by name, e.g. user+item bias. Random and perfect are always included, and popularity,
        which predicts no ratings, wherever something is ranked.

    Raises
    ------
    EvaluationError
        If the part is empty, nothing in it is relevant, there is nothing to measure, or a recommender
        returns values of the wrong shape or values that are not finite.
    """
    started = time.perf_counter()
    ratings, config = split.ratings, _measurable(config, split.ratings)
    threshold = config.threshold_on(ratings.scale)
    held_out = HeldOut.of(split, part, threshold, ranked=bool(config.protocols))
    predicted = _predict(recommender, held_out)
    per_user = _measure(predicted, recommender, held_out, split, config)
    random, perfect = RandomScorer.of(split, config.seed), OracleScorer(held_out)
    reference_metrics = {RANDOM: _measure(_predict(random, held_out), random, held_out, split, config)}
    if config.protocols:
        reference_metrics[POPULARITY] = _measure(None, PopularityScorer.of(held_out), held_out, split, config)
    for name, model in references.items():
        reference_metrics[name] = _measure(_predict(model, held_out), model, held_out, split, config)
    reference_metrics[PERFECT] = _measure(_predict(perfect, held_out), perfect, held_out, split, config)
    metrics = _metric_values(per_user, config)
    cold_users = held_out.train_users[held_out.users] == 0
    cold_items = held_out.train_counts[held_out.items] == 0
    return Report(
        part=part,
        data_name=ratings.name,
        data_hash=ratings.content_hash,
        split=split.config.model_dump(mode="json"),
        split_hash=split.hash,
        k=config.k,
        relevance_threshold=held_out.relevance_threshold,
        confidence=config.confidence,
        n_ratings=len(held_out.items),
        n_users=len(held_out.users),
        users_without_relevant=int(np.count_nonzero(held_out.n_relevant == 0)),
        cold_users=int(np.count_nonzero(cold_users)),
        cold_items=len(np.unique(held_out.items[cold_items])),
        cold_ratings=int(np.count_nonzero(cold_users[held_out.user_position] | cold_items)),
        metrics=metrics,
        references={name: _metric_values(values, config) for name, values in reference_metrics.items()},
        calibration=() if predicted is None else calibration(held_out.ratings, predicted, ratings.scale),
        rating_counts=() if predicted is None else rating_counts(held_out.ratings, predicted, ratings.scale),
        formulas={value.metric: value.name.definition.formula for value in metrics},
        protocols={value.protocol: PROTOCOLS[value.protocol] for value in metrics},
        seconds=time.perf_counter() - started,
        relevant_share=held_out.relevant_share,
        implicit=ratings.implicit,
        per_user=per_user,
    )


def _measurable(config: EvaluationConfig, ratings: Ratings) -> EvaluationConfig:
    """Return the configuration with the protocols that say something about ``ratings``."""
    protocols = config.protocols_for(ratings)
    if ratings.implicit and not protocols:
        raise EvaluationError(
            f"{ratings.name} holds interactions without ratings, and `full` is not among the protocols",
            expected="`full`: there are no ratings to predict, and every held-out item is relevant",
            next_step='set evaluation.protocols to ["full"]',
        )
    return config.model_copy(update={"protocols": protocols})


def _measure(
    predicted: FloatArray | None, scorer: Scorer, held_out: HeldOut, split: Split, config: EvaluationConfig
) -> PerUserMetrics:
    """Return what each user contributes; without predictions there are ranking columns only."""
    rankings = rank_top_k(scorer, held_out, config.k, config.protocols, config.seed)
    columns = [ranking_aggregates(protocol, rankings[protocol], held_out) for protocol in config.protocols]
    if predicted is not None:
        scale, n_users = split.ratings.scale, len(held_out.users)
        columns.append(rating_aggregates(held_out.user_position, held_out.ratings, predicted, scale, n_users))
    aggregates = columns[0]
    for more in columns[1:]:
        aggregates = aggregates.beside(more)
    return PerUserMetrics(
        data_hash=split.ratings.content_hash,
        split_hash=split.hash,
        part=held_out.part,
        k=config.k,
        relevance_threshold=held_out.relevance_threshold,
        users=held_out.users,
        aggregates=aggregates,
        catalogue_metrics={
            f"{protocol}:coverage@{config.k}": ranking_metrics.coverage(top.items, held_out.n_items)
            for protocol, top in rankings.items()
        },
    )


def predict_pairs(
    predictor: RatingPredictor, users: IntArray, items: IntArray, timestamps: NDArray[np.int64] | None
) -> FloatArray:
    """Predict the rating of every pair, in blocks; a `TimeAwareRecommender` also gets the timestamps.

    Parameters
    ----------
    users, items, timestamps
        Shape (n,) each; timestamps in seconds since 1970.

    Returns
    -------
    FloatArray
        Ratings, shape (n,).

    Raises
    ------
    EvaluationError
        If predictions have the wrong shape.
    """
    blocks: list[FloatArray] = []
    for start in range(0, len(users), PREDICTION_BLOCK):
        block = slice(start, start + PREDICTION_BLOCK)
        if isinstance(predictor, TimeAwareRecommender) and timestamps is not None:
            ratings = predictor.predict_at(users[block], items[block], timestamps[block])
        else:
            ratings = predictor.predict(users[block], items[block])
        predicted = np.asarray(ratings)
        if predicted.shape != users[block].shape:
            raise EvaluationError(
                f"predictions of shape {predicted.shape} for {len(users[block])} pairs",
                expected=f"shape {users[block].shape}: one rating per pair",
                next_step="correct the recommender's predict method",
            )
        blocks.append(predicted)
    return np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.float32)


def _predict(predictor: RatingPredictor, held_out: HeldOut) -> FloatArray | None:
    """Predict every held-out rating, and refuse predictions that are not finite; None without ratings."""
    if held_out.implicit:
        return None
    users = held_out.users[held_out.user_position]
    predicted = predict_pairs(predictor, users, held_out.items, held_out.timestamps)
    wrong = np.flatnonzero(~np.isfinite(predicted))
    if len(wrong):
        row = wrong[0]
        raise EvaluationError(
            f"the prediction for user {users[row]} and item {held_out.items[row]} is {predicted[row]}",
            expected="finite ratings",
            next_step="look for a diverged training or a division by zero in the recommender",
        )
    return predicted


def _metric_values(per_user: PerUserMetrics, config: EvaluationConfig) -> tuple[MetricValue, ...]:
    """Return all metrics with their intervals, from one set of resamples."""
    total = per_user.aggregates.total()
    samples = resampled(per_user.aggregates, config.bootstrap_samples, config.seed)
    values = []
    for name in per_user.names:
        n_users = n_users_of(name, total)
        catalogue_metric = per_user.catalogue_metric(name)
        value = float(value_of(name, total)) if catalogue_metric is None else catalogue_metric
        low = high = None
        if catalogue_metric is None and name.metric not in NO_BOOTSTRAP_INTERVAL and n_users > 1:
            low, high = interval(value_of(name, samples), config.confidence)
        values.append(MetricValue(name.with_cutoff, value, low, high, name.protocol, n_users))
    return tuple(values)
