"""Intervals contain the truth as often as their level says; metrics of different data are not compared."""

import dataclasses

import numpy as np
import pytest

from movielens_recsys.errors import EvaluationError
from movielens_recsys.evaluation.aggregates import Aggregates
from movielens_recsys.evaluation.bootstrap import interval, paired_difference, resampled
from movielens_recsys.evaluation.config import EvaluationConfig
from movielens_recsys.evaluation.evaluate import evaluate
from movielens_recsys.evaluation.rating_metrics import rating_aggregates, rmse


def test_resamples_weigh_every_user_alike():
    aggregates = Aggregates.of({"count": np.ones(50), "first": np.eye(50)[0]})
    samples = resampled(aggregates, 4000, seed=0)
    assert (samples["count"] == 50).all()
    assert samples["first"].mean() == pytest.approx(1, abs=0.05)
    assert samples["first"].var() == pytest.approx(1 - 1 / 50, abs=0.1)


def test_rmse_intervals_cover_the_truth():
    """Errors of one user share a level, so resampling ratings instead of users would cover far less."""
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(80), 20)
    truth = np.sqrt(0.5**2 + 1.0**2)
    covered, widths = 0, []
    for trial in range(200):
        error = rng.normal(0, 1.0, len(users)) + rng.normal(0, 0.5, 80)[users]
        aggregates = rating_aggregates(users, np.full(len(users), 3.0), 3 + error)
        low, high = interval(rmse(resampled(aggregates, 400, seed=trial)), 0.95)
        covered += low <= truth <= high
        widths.append(high - low)
    assert 0.89 <= covered / 200 <= 0.99
    assert 0.03 < np.mean(widths) < 0.2


def test_one_user_gives_an_interval_without_width():
    aggregates = rating_aggregates([0, 0], [4, 2], [3, 2])
    low, high = interval(rmse(resampled(aggregates, 100, seed=0)), 0.95)
    assert low == high == pytest.approx(np.sqrt(0.5))


def test_a_paired_interval_is_narrower(split, recommender, matrix_recommender):
    better = matrix_recommender(0.9 * recommender.matrix + 0.1 * 3)
    a, b = evaluate(recommender, split), evaluate(better, split)
    difference = paired_difference(a.per_user, b.per_user, "rmse")
    assert difference.better == "b"
    assert difference.difference == pytest.approx(a.metric_value("rmse").value - b.metric_value("rmse").value)
    assert difference.low <= difference.difference <= difference.high
    rmse_of_a = a.metric_value("rmse")
    assert difference.high - difference.low < (rmse_of_a.high - rmse_of_a.low) / 3


def test_a_recommender_is_no_better_than_itself(split, recommender):
    report = evaluate(recommender, split)
    for name in report.per_user.names:
        if name.metric != "coverage":
            difference = paired_difference(report.per_user, report.per_user, name.with_cutoff, name.protocol)
            assert (difference.low, difference.high, difference.better) == (0, 0, None)


def test_higher_is_better_where_the_metric_says_so(split, recommender, matrix_recommender):
    rows = split.part("test")
    knows = recommender.matrix.copy()
    knows[rows.users, rows.items] = rows.ratings + 10
    a, b = evaluate(matrix_recommender(knows), split), evaluate(recommender, split)
    assert paired_difference(a.per_user, b.per_user, "ndcg@10", "full").better == "a"
    assert paired_difference(b.per_user, a.per_user, "ndcg@10", "full").better == "b"
    assert paired_difference(a.per_user, b.per_user, "novelty@10", "full").better is None


@pytest.mark.parametrize("field", ["data_hash", "split_hash", "part", "k", "relevance_threshold"])
def test_metrics_of_different_evaluations_are_refused(split, recommender, field):
    metrics = evaluate(recommender, split).per_user
    other = dataclasses.replace(metrics, **{field: "other"})
    with pytest.raises(EvaluationError, match=r"metrics of different .*; evaluate both on one split"):
        paired_difference(metrics, other)


@pytest.mark.parametrize(
    ("metric", "protocol"), [("ndcg@10", "full"), ("coverage@10", "rated"), ("ndcg", "rated")]
)
def test_metrics_that_were_not_measured_are_refused(split, recommender, metric, protocol):
    metrics = evaluate(recommender, split, config=EvaluationConfig(protocols=("rated",))).per_user
    with pytest.raises(EvaluationError, match=f"no per-user values of {metric}"):
        paired_difference(metrics, metrics, metric, protocol)
