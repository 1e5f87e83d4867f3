"""Metrics over folds and paired differences, compared with the evaluation and with manual arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.bench.comparison import Estimate, bootstrap_mean, is_better
from movielens_recsys.evaluation.bootstrap import paired_difference
from movielens_recsys.evaluation.per_user import PerUserMetrics
from movielens_recsys.evaluation.rating_metrics import rating_aggregates


def fold(seed, noise, users=40, rows=400, hash_="s"):
    rng = np.random.default_rng(seed)
    user_position = np.concatenate([np.arange(users), rng.integers(users, size=rows - users)])
    actual = rng.integers(1, 6, size=rows)
    predicted = actual + np.random.default_rng(seed + 100).normal(0, noise, rows)
    sums = rating_aggregates(user_position, actual, predicted, n_users=users)
    return PerUserMetrics("d", hash_, "test", 10, 0.0, np.arange(users), sums, {})


def test_one_fold_equals_the_evaluation():
    a, b = fold(0, 0.9), fold(0, 1.0)
    expected = paired_difference(a, b)
    difference = bootstrap_mean([a], "rmse", "held_out").minus(bootstrap_mean([b], "rmse", "held_out"))
    assert (difference.value, difference.low, difference.high) == pytest.approx(
        (expected.difference, expected.low, expected.high)
    )


def test_several_folds_give_the_mean_of_their_metrics():
    folds = [fold(seed, 1.0) for seed in range(3)]
    values = [bootstrap_mean([one], "rmse", "held_out").value for one in folds]
    assert bootstrap_mean(folds, "rmse", "held_out").value == pytest.approx(np.mean(values))


def test_users_of_different_folds_are_resampled_together():
    """A user who is in one fold only has weight zero in the other."""
    first, second = fold(0, 1.0), fold(1, 1.0)
    moved = PerUserMetrics(
        **{**{k: getattr(second, k) for k in second.__dataclass_fields__}, "users": np.arange(20, 60)}
    )
    mean = bootstrap_mean([first, moved], "rmse", "held_out")
    assert np.isfinite(mean.resamples).all()
    assert mean.estimate.low < mean.value < mean.estimate.high


def test_a_difference_is_better_only_if_its_interval_excludes_zero():
    assert is_better("rmse", Estimate(-0.01, -0.02, -0.001)) is True
    assert is_better("rmse", Estimate(0.01, 0.001, 0.02)) is False
    assert is_better("rmse", Estimate(-0.01, -0.02, 0.001)) is None
    assert is_better("precision@10", Estimate(0.01, 0.001, 0.02)) is True
