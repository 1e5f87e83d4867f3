"""The peers' scripts, as far as they run without their libraries."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from movielens_recsys.bench.peers import runner
from movielens_recsys.bench.peers.cornac import Model as Cornac
from movielens_recsys.bench.peers.lenskit import _by_user
from movielens_recsys.bench.peers.myfm import DAY_S
from movielens_recsys.bench.peers.myfm import Model as MyFM

TRAIN = SimpleNamespace(
    users=np.array([0, 0, 1, 2]),
    items=np.array([1, 2, 2, 0]),
    ratings=np.array([5.0, 3.0, 4.0, 1.0]),
    timestamps=np.array([0, 1, 3 * DAY_S, 3 * DAY_S + 5]),
)


def job(**more):
    return SimpleNamespace(**{"n_users": 3, "n_items": 4, "scale": [0.5, 5.0, 0.5], "settings": {}, **more})


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


def test_lists_exclude_training_items_and_end_with_minus_one():
    scores = SimpleNamespace(score=lambda users: np.tile([4.0, 3.0, 2.0, 1.0], (len(users), 1)))
    lists = runner.make_lists(scores, np.array([0, 2]), TRAIN, {"k": 5, "n_items": 4, "n_users": 3})
    np.testing.assert_array_equal(lists, [[0, 3, -1, -1, -1], [1, 2, 3, -1, -1]])


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


def test_training_items_are_grouped_by_user():
    seen = _by_user(TRAIN)
    np.testing.assert_array_equal(seen[0], [1, 2])
    assert set(seen) == {0, 1, 2}


def test_peak_memory_is_that_of_this_process():
    assert 10 < runner.peak_mb() < 100_000
