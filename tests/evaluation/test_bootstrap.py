"""Intervals hold the truth as often as they say, and unlike figures are not compared."""

import dataclasses

import numpy as np
import pytest

from movielens_recsys.errors import EvaluationError
from movielens_recsys.evaluation.aggregates import Aggregates
from movielens_recsys.evaluation.bootstrap import interval, paired_difference, resampled
from movielens_recsys.evaluation.config import EvaluationConfig
from movielens_recsys.evaluation.evaluate import evaluate
from movielens_recsys.evaluation.rating import rating_aggregates, rmse


def test_resamples_weigh_every_user_alike():
    sums = Aggregates.of({"count": np.ones(50), "first": np.eye(50)[0]})
    drawn = resampled(sums, 4000, seed=0)
    assert (drawn["count"] == 50).all()
    assert drawn["first"].mean() == pytest.approx(1, abs=0.05)
    assert drawn["first"].var() == pytest.approx(1 - 1 / 50, abs=0.1)


def test_rmse_intervals_cover_the_truth():
    """Errors of one user share a level, so resampling ratings instead of users would cover far less."""
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(80), 20)
    truth = np.sqrt(0.5**2 + 1.0**2)
    covered, widths = 0, []
    for trial in range(200):
        error = rng.normal(0, 1.0, len(users)) + rng.normal(0, 0.5, 80)[users]
        sums = rating_aggregates(users, np.full(len(users), 3.0), 3 + error)
        low, high = interval(rmse(resampled(sums, 400, seed=trial)), 0.95)
        covered += low <= truth <= high
        widths.append(high - low)
    assert 0.89 <= covered / 200 <= 0.99
    assert 0.03 < np.mean(widths) < 0.2


def test_one_user_gives_an_interval_without_width():
    sums = rating_aggregates([0, 0], [4, 2], [3, 2])
    low, high = interval(rmse(resampled(sums, 100, seed=0)), 0.95)
    assert low == high == pytest.approx(np.sqrt(0.5))


def test_a_paired_interval_is_narrower(split, recommender, matrix_recommender):
    better = matrix_recommender(0.9 * recommender.matrix + 0.1 * 3)
    a, b = evaluate(recommender, split), evaluate(better, split)
    verdict = paired_difference(a.per_user, b.per_user, "rmse")
    assert verdict.better == "b"
    assert verdict.difference == pytest.approx(a.metric_value("rmse").value - b.metric_value("rmse").value)
    assert verdict.low <= verdict.difference <= verdict.high
    figure = a.metric_value("rmse")
    assert verdict.high - verdict.low < (figure.high - figure.low) / 3


def test_a_recommender_is_no_better_than_itself(split, recommender):
    report = evaluate(recommender, split)
    for metric, protocol in report.per_user.figures:
        if not metric.startswith("coverage"):
            verdict = paired_difference(report.per_user, report.per_user, metric, protocol)
            assert (verdict.low, verdict.high, verdict.better) == (0, 0, None)


def test_more_is_better_where_the_metric_says_so(split, recommender, matrix_recommender):
    rows = split.part("test")
    knows = recommender.matrix.copy()
    knows[rows.users, rows.items] = rows.ratings + 10
    a, b = evaluate(matrix_recommender(knows), split), evaluate(recommender, split)
    assert paired_difference(a.per_user, b.per_user, "ndcg@10", "full").better == "a"
    assert paired_difference(b.per_user, a.per_user, "ndcg@10", "full").better == "b"
    assert paired_difference(a.per_user, b.per_user, "novelty@10", "full").better is None


@pytest.mark.parametrize("field", ["data_hash", "split_hash", "part", "k", "relevance_threshold"])
def test_unlike_figures_are_refused(split, recommender, field):
    figures = evaluate(recommender, split).per_user
    other = dataclasses.replace(figures, **{field: "other"})
    with pytest.raises(EvaluationError, match=r"figures of different .*; evaluate both on one split"):
        paired_difference(figures, other)


@pytest.mark.parametrize(
    ("metric", "protocol"), [("ndcg@10", "full"), ("coverage@10", "rated"), ("ndcg", "rated")]
)
def test_figures_that_are_not_there_are_refused(split, recommender, metric, protocol):
    figures = evaluate(recommender, split, config=EvaluationConfig(protocols=("rated",))).per_user
    with pytest.raises(EvaluationError, match=f"no per-user figures of {metric}"):
        paired_difference(figures, figures, metric, protocol)
