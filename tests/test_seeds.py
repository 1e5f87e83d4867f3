"""Randomness: streams that are independent, and splits that no numpy release may change."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from movielens_recsys.seeds import derive_seed, frozen_permutation, generator

PURPOSES = [f"purpose {number}" for number in range(300)]


def test_derived_seeds_are_pinned():
    assert [derive_seed(0, "weights"), derive_seed(42, "batches")] == [
        3699729803252847382,
        2522071005832595549,
    ]


def test_the_frozen_permutation_is_pinned():
    assert frozen_permutation(0, 10).tolist() == [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]
    assert frozen_permutation(2**32 - 1, 5).tolist() == [4, 1, 0, 2, 3]
    assert np.array_equal(np.sort(frozen_permutation(7, 1000)), np.arange(1000))


def test_every_seed_and_purpose_has_a_stream_of_its_own():
    seeds = {derive_seed(seed, purpose) for seed in range(100) for purpose in PURPOSES}
    assert len(seeds) == 100 * len(PURPOSES)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_drawing_from_one_stream_leaves_the_others_as_they_were():
    alone = generator(5, "noise").random(4)
    other = generator(5, "order")
    other.random(1000)
    assert np.array_equal(generator(5, "noise").random(4), alone)
    assert not np.array_equal(generator(5, "order").random(4), alone)


@pytest.mark.parametrize("pairs", ["purposes", "seeds"])
def test_streams_are_not_correlated(pairs):
    if pairs == "purposes":
        draws = np.stack([generator(0, purpose).standard_normal(200) for purpose in PURPOSES])
    else:
        draws = np.stack([generator(seed, "noise").standard_normal(200) for seed in range(300)])
    correlations = np.corrcoef(draws)[np.triu_indices(len(draws), k=1)]
    assert abs(correlations.std() - 1 / np.sqrt(200)) < 0.002
    assert stats.kstest(correlations[:2000], "norm", args=(0, 1 / np.sqrt(200))).pvalue > 1e-4
