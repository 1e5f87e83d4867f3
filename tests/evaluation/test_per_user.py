"""Per-user metrics survive the disk, and damaged files are refused."""

import numpy as np
import pytest

from movielens_recsys.errors import EvaluationError
from movielens_recsys.evaluation.bootstrap import paired_difference
from movielens_recsys.evaluation.evaluate import evaluate
from movielens_recsys.evaluation.per_user import PerUserMetrics


def test_round_trip(split, recommender, other_recommender, tmp_path):
    metrics = evaluate(recommender, split).per_user
    other = evaluate(other_recommender, split).per_user
    metrics.save(tmp_path / "run" / "per_user.npz")
    loaded = PerUserMetrics.load(tmp_path / "run" / "per_user.npz")
    assert (loaded.users == metrics.users).all()
    assert (loaded.aggregates.values == metrics.aggregates.values).all()
    assert loaded.catalogue_metrics == metrics.catalogue_metrics
    assert paired_difference(loaded, other) == paired_difference(metrics, other)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["per_user.npz"]


def test_damaged_files_are_refused(split, recommender, tmp_path):
    path = tmp_path / "per_user.npz"
    evaluate(recommender, split).per_user.save(path)
    whole = path.read_bytes()
    for damaged in (b"", b"no archive", whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(EvaluationError, match="cannot read per-user metrics"):
            PerUserMetrics.load(path)
    rng, outcomes = np.random.default_rng(0), set()
    for _ in range(300):  # numpy, zipfile and zlib have a dozen errors for damaged files
        damaged = bytearray(whole)
        damaged[rng.integers(len(damaged))] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            outcomes.add(type(PerUserMetrics.load(path)))
        except EvaluationError as exc:
            outcomes.add(type(exc.__cause__))
    assert len(outcomes - {PerUserMetrics}) > 1
    np.savez(path, users=np.arange(3))
    with pytest.raises(EvaluationError, match="cannot read per-user metrics"):
        PerUserMetrics.load(path)
    with pytest.raises(EvaluationError, match="cannot read per-user metrics"):
        PerUserMetrics.load(tmp_path / "missing.npz")
