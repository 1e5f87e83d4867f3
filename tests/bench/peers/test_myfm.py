"""The columns of myFM's feature matrices, without the library."""

from __future__ import annotations

import numpy as np
from tests.bench.peers.conftest import TRAIN, job

from movielens_recsys.bench.peers.myfm import DAY_S
from movielens_recsys.bench.peers.myfm import Model as MyFM


def test_myfm_has_one_hot_users_and_items_implicit_features_and_known_days():
    model = MyFM(TRAIN, job())
    assert model.shapes == [3, 4, 4, 3]
    np.testing.assert_allclose(model.user_features.toarray()[0], [1, 0, 0, 0, 2**-0.5, 2**-0.5, 0])
    np.testing.assert_allclose(model.item_features.toarray()[2], [0, 0, 1, 0, 2**-0.5, 2**-0.5, 0])
    days = model.day_features(np.array([5, 2 * DAY_S, 3 * DAY_S]), 3).toarray()
    np.testing.assert_array_equal(days, [[1, 0], [0, 0], [0, 1]])
    np.testing.assert_allclose(model.levels, np.arange(1, 11) / 2)


def test_myfm_without_days_or_implicit_features():
    model = MyFM(TRAIN, job(settings={"day": False, "bags": False}))
    assert model.day_features(TRAIN.timestamps, 4) is None
    assert model.shapes == [3, 4]
