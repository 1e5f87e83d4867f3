"""Ranking metrics against hand-worked cases, scikit-learn and their bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import ndcg_score

from movielens_recsys.evaluation import ranking_metrics

ACCURACY = [
    ranking_metrics.precision,
    ranking_metrics.recall,
    ranking_metrics.ndcg,
    ranking_metrics.average_precision,
    ranking_metrics.reciprocal_rank,
    ranking_metrics.hit_rate,
]
HITS = np.array([[0, 1, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]], dtype=bool)
N_RELEVANT = np.array([3, 2, 6])


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (ranking_metrics.precision, [2 / 4, 0, 1]),
        (ranking_metrics.recall, [2 / 3, 0, 4 / 6]),
        (ranking_metrics.ndcg, [(1 / np.log2(3) + 1 / 2) / (1 + 1 / np.log2(3) + 1 / 2), 0, 1]),
        (ranking_metrics.average_precision, [(1 / 2 + 2 / 3) / 3, 0, 1]),
        (ranking_metrics.reciprocal_rank, [1 / 2, 0, 1]),
        (ranking_metrics.hit_rate, [1, 0, 1]),
    ],
)
def test_worked_by_hand(metric, expected):
    assert metric(HITS, N_RELEVANT) == pytest.approx(expected)


@pytest.mark.parametrize("metric", ACCURACY)
def test_users_without_relevant_items_have_no_value(metric):
    values = metric([[False, False], [True, False]], [0, 1])
    assert np.isnan(values[0])
    assert values[1] > 0


def test_ndcg_against_scikit_learn():
    rng = np.random.default_rng(0)
    relevance, scores = rng.random((40, 30)) < 0.3, rng.random((40, 30))
    hits = np.take_along_axis(relevance, np.argsort(-scores, axis=1)[:, :10], axis=1)
    ours = ranking_metrics.ndcg(hits, relevance.sum(axis=1))
    assert ours.mean() == pytest.approx(ndcg_score(relevance, scores, k=10), abs=1e-12)


def test_coverage_novelty_and_popularity_by_hand():
    items = np.array(
        [[0, 1], [1, ranking_metrics.NO_ITEM], [ranking_metrics.NO_ITEM, ranking_metrics.NO_ITEM]]
    )
    counts = np.array([8, 2, 0, 2])
    assert ranking_metrics.coverage(items, 4) == 2 / 4
    assert ranking_metrics.novelty(items, counts, 8)[:2] == pytest.approx([(0 + 2) / 2, 2])
    assert ranking_metrics.popularity_bias(items, counts)[:2] == pytest.approx([5 / 3, 2 / 3])
    assert np.isnan(ranking_metrics.novelty(items, counts, 8)[2])
    assert ranking_metrics.novelty([[2]], counts, 8) == pytest.approx([3])  # never rated counts as rated once


hit_matrices = arrays.arrays(bool, st.tuples(st.integers(1, 6), st.integers(1, 12)))


@settings(max_examples=80, deadline=None)
@given(hit_matrices, st.integers(0, 10))
def test_bounds_and_perfection(hits, further):
    n_relevant = hits.sum(axis=1) + further
    k = hits.shape[1]
    perfect = np.arange(k) < np.minimum(n_relevant, k)[:, None]
    for metric in ACCURACY:
        values = np.nan_to_num(metric(hits, n_relevant))
        assert ((values >= 0) & (values <= 1 + 1e-12)).all()
        assert (values <= np.nan_to_num(metric(perfect, n_relevant)) + 1e-12).all()
    for metric in (
        ranking_metrics.ndcg,
        ranking_metrics.average_precision,
        ranking_metrics.reciprocal_rank,
        ranking_metrics.hit_rate,
    ):
        assert metric(perfect, n_relevant)[n_relevant > 0] == pytest.approx(1)


@settings(max_examples=80, deadline=None)
@given(hit_matrices, st.data())
def test_a_hit_that_moves_up_never_lowers_a_metric(hits, data):
    n_relevant = hits.sum(axis=1)
    k = hits.shape[1]
    low = data.draw(st.integers(0, k - 1))
    high = data.draw(st.integers(0, low))
    better = hits.copy()
    swap = better[:, low] & ~better[:, high]
    better[swap, low], better[swap, high] = False, True
    for metric in ACCURACY:
        before, after = metric(hits, n_relevant), metric(better, n_relevant)
        assert (np.nan_to_num(after) >= np.nan_to_num(before) - 1e-12).all()


@settings(max_examples=50, deadline=None)
@given(hit_matrices)
def test_recall_and_hit_rate_grow_with_k(hits):
    n_relevant = hits.sum(axis=1)
    for metric in (ranking_metrics.recall, ranking_metrics.hit_rate, ranking_metrics.reciprocal_rank):
        values = [np.nan_to_num(metric(hits[:, : k + 1], n_relevant)) for k in range(hits.shape[1])]
        assert (np.diff(values, axis=0) >= -1e-12).all()
