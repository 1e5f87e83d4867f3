"""The peers' own scripts, as far as they go without the libraries they are for."""

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


def test_myfm_gets_one_hot_users_and_items_with_their_bags_and_known_days():
    model = MyFM(TRAIN, job())
    assert model.shapes == [3, 4, 4, 3]
    np.testing.assert_allclose(model.user_features.toarray()[0], [1, 0, 0, 0, 2**-0.5, 2**-0.5, 0])
    np.testing.assert_allclose(model.item_features.toarray()[2], [0, 0, 1, 0, 2**-0.5, 2**-0.5, 0])
    days = model.day_features(np.array([5, 2 * DAY_S, 3 * DAY_S]), 3).toarray()
    np.testing.assert_array_equal(days, [[1, 0], [0, 0], [0, 1]])
    np.testing.assert_allclose(model.levels, np.arange(1, 11) / 2)


def test_myfm_without_days_or_bags_has_none():
    model = MyFM(TRAIN, job(settings={"day": False, "bags": False}))
    assert model.day_features(TRAIN.timestamps, 4) is None
    assert model.shapes == [3, 4]


def test_lists_leave_out_training_and_end_with_none():
    scores = SimpleNamespace(score=lambda users: np.tile([4.0, 3.0, 2.0, 1.0], (len(users), 1)))
    lists = runner.lists_of(scores, np.array([0, 2]), TRAIN, {"k": 5, "n_items": 4, "n_users": 3})
    np.testing.assert_array_equal(lists, [[0, 3, -1, -1, -1], [1, 2, 3, -1, -1]])


def test_cornac_is_asked_by_its_own_indices_and_strangers_get_the_mean():
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


def test_what_a_user_has_seen_is_known_by_user():
    seen = _by_user(TRAIN)
    np.testing.assert_array_equal(seen[0], [1, 2])
    assert set(seen) == {0, 1, 2}


def test_memory_is_this_process_own():
    assert 10 < runner.peak_mb() < 100_000
