"""The items of each user's history, without the library."""

from __future__ import annotations

import numpy as np
from tests.bench.peers.conftest import TRAIN

from movielens_recsys.bench.peers.lenskit import _by_user


def test_training_items_are_grouped_by_user():
    seen = _by_user(TRAIN)
    np.testing.assert_array_equal(seen[0], [1, 2])
    assert set(seen) == {0, 1, 2}
