"""Lists and peak memory, as every peer's process writes them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from tests.bench.peers.conftest import TRAIN

from movielens_recsys.bench.peers import runner


def test_lists_exclude_training_items_and_end_with_minus_one():
    scores = SimpleNamespace(score=lambda users: np.tile([4.0, 3.0, 2.0, 1.0], (len(users), 1)))
    lists = runner.make_lists(scores, np.array([0, 2]), TRAIN, {"k": 5, "n_items": 4, "n_users": 3})
    np.testing.assert_array_equal(lists, [[0, 3, -1, -1, -1], [1, 2, 3, -1, -1]])


def test_peak_memory_is_that_of_this_process():
    assert 10 < runner.peak_mb() < 100_000
