"""A whole evaluation: every metric by hand, the users counted, and recommenders with invalid output."""

from dataclasses import replace

import numpy as np
import pytest

from movielens_recsys.data.scale import Scale
from movielens_recsys.errors import EvaluationError
from movielens_recsys.evaluation.config import EvaluationConfig
from movielens_recsys.evaluation.evaluate import evaluate
from movielens_recsys.evaluation.references import PERFECT, POPULARITY, RANDOM
from movielens_recsys.evaluation.report import Report


@pytest.fixture
def small(by_hand):
    """User 2 is cold, item 4 is cold, user 1 has nothing relevant."""
    return by_hand(
        train=[(0, 0, 5), (0, 1, 3), (1, 0, 2), (1, 2, 4), (1, 3, 1)],
        test=[(0, 2, 5), (0, 3, 2), (1, 1, 3), (2, 4, 4), (2, 0, 5)],
        n_users=3,
        n_items=5,
    )


@pytest.fixture
def scores(matrix_recommender):
    return matrix_recommender([[1, 2, 4, 3, 5], [5, 4, 3, 2, 1], [1, 5, 4, 3, 2]])


def test_every_metric_by_hand(small, scores):
    report = evaluate(scores, small, config=EvaluationConfig(k=2))
    found = {(measured.metric, measured.protocol): measured.value for measured in report.metrics}
    # Errors: 4-5, 3-2, 4-3, 2-4, 1-5.
    assert found["rmse", "held_out"] == pytest.approx(np.sqrt((1 + 1 + 1 + 4 + 16) / 5))
    assert found["mae", "held_out"] == pytest.approx((1 + 1 + 1 + 2 + 4) / 5)
    assert found["user_rmse", "held_out"] == pytest.approx((1 + 1 + np.sqrt(10)) / 3)
    # full rankings: user 0 [4, 2], user 1 [1, 4], user 2 [1, 2]; relevant: {2}, {}, {0, 4}.
    assert found["precision@2", "full"] == pytest.approx((1 / 2 + 0) / 2)
    assert found["recall@2", "full"] == pytest.approx((1 + 0) / 2)
    assert found["ndcg@2", "full"] == pytest.approx((1 / np.log2(3) + 0) / 2)
    assert found["map@2", "full"] == pytest.approx((1 / 2 + 0) / 2)
    assert found["mrr@2", "full"] == pytest.approx((1 / 2 + 0) / 2)
    assert found["hit_rate@2", "full"] == pytest.approx(1 / 2)
    assert found["coverage@2", "full"] == pytest.approx(3 / 5)
    # Training counts [2, 1, 1, 1, 0] of 2 users: 0, 1, 1, 1 bits, and 1 for the unrated item.
    assert found["novelty@2", "full"] == pytest.approx(1)
    assert found["popularity_bias@2", "full"] == pytest.approx((0.5 + 0.5 + 1) / 3)
    # rated rankings: user 0 [2, 3], user 1 [1], user 2 [4, 0].
    assert found["precision@2", "rated"] == pytest.approx((1 / 2 + 1) / 2)
    assert found["ndcg@2", "rated"] == 1
    assert found["coverage@2", "rated"] == 1


class PredictsOnly:
    n_users, n_items = 3, 5

    def predict(self, users, items):
        return np.full(len(users), 3.0)

    def score(self, users):
        raise AssertionError("nothing is ranked")

    fold_in = score


def test_without_protocols_rating_metrics_alone_are_measured_and_nothing_is_scored(small, scores):
    # No rating reaches 9: without rankings nothing has to be relevant.
    report = evaluate(PredictsOnly(), small, config=EvaluationConfig(protocols=(), relevance_threshold=9))
    assert {value.protocol for value in report.metrics} == {"held_out"}
    assert set(report.references) == {RANDOM, PERFECT}
    assert not report.is_ranked
    both = evaluate(scores, small)
    alone = evaluate(scores, small, config=EvaluationConfig(protocols=()))
    assert alone.metrics == tuple(value for value in both.metrics if value.protocol == "held_out")


def test_counts_of_users_and_ratings(small, scores):
    report = evaluate(scores, small)
    assert (report.n_users, report.n_ratings, report.users_without_relevant) == (3, 5, 1)
    assert (report.cold_users, report.cold_items, report.cold_ratings) == (1, 1, 2)
    assert report.metric_value("rmse").n_users == 3
    assert report.metric_value("ndcg@10", "full").n_users == 2
    assert report.metric_value("novelty@10", "full").n_users == 3


def test_validation_items_stay_candidates_in_a_test(by_hand, matrix_recommender):
    split = by_hand(train=[(0, 0, 5)], validation=[(0, 1, 5)], test=[(0, 2, 5)], n_users=1, n_items=3)
    report = evaluate(matrix_recommender([[5, 4, 3]]), split)
    assert report.metric_value("mrr@10", "full").value == 0.5
    assert {measured.low for measured in report.metrics} == {None}, "one user cannot be resampled"
    assert "validation items stay candidates" in report.protocols["full"]
    assert (
        evaluate(matrix_recommender([[5, 4, 3]]), split, part="validation")
        .metric_value("mrr@10", "full")
        .value
        == 1
    )


def test_intervals_hold_their_values(split, recommender):
    report = evaluate(recommender, split)
    for measured in report.metrics:
        if measured.metric in {"coverage@10", "calibration_error"}:
            assert (measured.low, measured.high) == (None, None)
        else:
            assert measured.low <= measured.value <= measured.high
    assert report.metric_value("rmse").low < report.metric_value("rmse").high


def test_evaluation_is_deterministic(split, recommender):
    assert evaluate(recommender, split).metrics == evaluate(recommender, split).metrics


def test_reference_models(split, recommender, other_recommender):
    report = evaluate(recommender, split, references={"other": other_recommender})
    assert list(report.references) == [RANDOM, POPULARITY, "other", PERFECT]
    assert report.references["other"] == evaluate(other_recommender, split).metrics
    assert {measured.protocol for measured in report.references[POPULARITY]} == {"full", "rated"}


def test_chosen_protocols_and_cut_off(split, recommender):
    report = evaluate(recommender, split, config=EvaluationConfig(k=3, protocols=("rated",)))
    names = {(measured.metric, measured.protocol) for measured in report.metrics}
    assert ("ndcg@3", "rated") in names
    assert {protocol for _, protocol in names} == {"held_out", "rated"}
    assert set(report.protocols) == {"held_out", "rated"}


def test_the_recommender_is_not_changed(split, recommender):
    before = recommender.matrix.copy()
    evaluate(recommender, split)
    assert (recommender.matrix == before).all()


@pytest.mark.parametrize(
    ("method", "answer", "words"),
    [
        ("predict", lambda n: np.full(n, np.nan), "the prediction for user .* is nan"),
        ("predict", lambda n: np.full(n, np.inf), "the prediction for user .* is inf"),
        ("predict", lambda n: np.ones((n, 1)), "predictions of shape"),
        ("predict", lambda n: np.ones(n - 1), "predictions of shape"),
        ("score", lambda n: np.full((n, 80), np.nan), "the score of item 0 for user 0 is nan"),
        ("score", lambda n: np.ones((n, 79)), r"scores of shape .*; expected shape \(60, 80\)"),
    ],
)
def test_invalid_output_is_refused(split, matrix_recommender, monkeypatch, method, answer, words):
    bad = matrix_recommender(np.ones((60, 80)))
    monkeypatch.setattr(bad, method, lambda users, *items: answer(len(users)))
    with pytest.raises(EvaluationError, match=words) as caught:
        evaluate(bad, split)
    assert "\n" not in str(caught.value)


def as_interactions(split):
    """Return a split of the same rows without their ratings."""
    ratings = split.ratings
    ones = np.ones(len(ratings), np.float32)
    return replace(split, ratings=replace(ratings, ratings=ones, scale=Scale(0, 1, 1), implicit=True))


def test_the_threshold_and_the_share_that_reaches_it_are_reported(small, scores):
    report = evaluate(scores, small, config=EvaluationConfig(k=2))
    assert (report.relevance_threshold, report.relevant_share) == (4.0, 0.6)
    assert report.relevance == "relevant: 4 or more (60.0 % of the held-out ratings)"
    assert report.findings == ()
    everything = evaluate(scores, small, config=EvaluationConfig(k=2, relevance_threshold=1))
    assert [finding.name for finding in everything.findings] == ["relevant_share"]


def test_of_interactions_only_full_rankings_are_measured(small, scores):
    report = evaluate(scores, as_interactions(small), config=EvaluationConfig(k=2))
    assert report.implicit
    assert list(report.protocols) == ["full"]
    assert {value.protocol for value in report.metrics} == {"full"}
    assert (report.calibration, report.rating_counts, report.findings) == ((), (), ())
    assert report.relevance == "relevant: every held-out interaction"
    assert list(report.references) == [RANDOM, POPULARITY, PERFECT]
    # full rankings: user 0 [4, 2], user 1 [1, 4], user 2 [1, 2]; relevant: {2, 3}, {1}, {0, 4}.
    assert report.metric_value("recall@2", "full").value == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert Report.from_json(report.to_json()) == report


def test_interactions_without_the_protocol_that_fits_them_are_refused(small, scores):
    for protocols in (("rated",), ()):
        with pytest.raises(EvaluationError, match=r"without ratings.*evaluation.protocols to \["):
            evaluate(scores, as_interactions(small), config=EvaluationConfig(protocols=protocols))
