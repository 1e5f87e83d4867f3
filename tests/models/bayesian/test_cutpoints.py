"""The sampler of cutpoints: ordered, exact and accepted often."""

from __future__ import annotations

import numpy as np

from movielens_recsys.models.bayesian.cutpoints import CutpointSampler
from movielens_recsys.models.bayesian.parallel import ThreadPool

TRUE = np.array([-1.0, 0.2, 0.9])


def sampled(n: int, draws: int) -> tuple[CutpointSampler, np.ndarray]:
    """Draw cutpoints given the true scores of ``n`` ratings."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=n).astype(np.float32)
    levels = np.searchsorted(TRUE, scores + rng.normal(size=n)).astype(np.int8)
    sampler, values = CutpointSampler(levels, 4), []
    with ThreadPool() as threads:
        for _ in range(draws):
            sampler.draw(scores, np.ones(n, np.float32), rng, threads)
            values.append(sampler.values)
    return sampler, np.array(values)


def test_samples_are_around_the_true_cutpoints_and_mostly_accepted() -> None:
    sampler, values = sampled(4_000, 60)
    assert (np.diff(values, axis=1) > 0).all()
    np.testing.assert_allclose(values.mean(0), TRUE, atol=0.1)
    assert 0.005 < values.std(0).max() < 0.1
    assert sampler.proposed == 60
    assert sampler.accepted > 50


def test_a_level_without_ratings_keeps_a_width() -> None:
    sampler = CutpointSampler(np.array([0, 0, 2, 2], np.int8), 3)
    with ThreadPool() as threads:
        scores = np.array([-1, -1, 1, 1], np.float32)
        sampler.draw(scores, np.ones(4, np.float32), np.random.default_rng(0), threads)
    assert np.diff(sampler.values)[0] > 0
    assert np.isfinite(sampler.values).all()


def test_a_restored_sampler_continues_with_the_same_values() -> None:
    sampler, _ = sampled(200, 3)
    restored = CutpointSampler(np.zeros(1, np.int8), 4)
    restored.restore(sampler.to_json())
    assert restored.to_json() == sampler.to_json()
    np.testing.assert_array_equal(restored.edges, np.r_[-np.inf, sampler.values, np.inf])
