"""Cornac's own indices, and the mean for users and items that it does not know."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from movielens_recsys.bench.peers.cornac import Model as Cornac


def test_cornac_uses_its_own_indices_and_the_mean_for_the_unknown():
    fitted = SimpleNamespace(
        global_mean=3.5,
        rate=lambda user, item: 10 * user + item,
        score=lambda user: np.array([0.1, 0.2]) + user,
    )
    dataset = SimpleNamespace(uid_map={5: 0, 3: 1}, iid_map={7: 0, 2: 1})
    model = Cornac(fitted, dataset, 8)
    np.testing.assert_array_equal(
        model.predict(np.array([3, 3, 4]), np.array([2, 6, 2]), None), [11, 3.5, 3.5]
    )
    scores = model.score(np.array([3, 4]))
    np.testing.assert_allclose(scores[0, [7, 2]], [1.1, 1.2])
    assert (scores[1] < -1e20).all()
