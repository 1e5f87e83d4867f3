"""Four ratings and a job, as a peer's script gets them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from movielens_recsys.bench.peers.myfm import DAY_S

TRAIN = SimpleNamespace(
    users=np.array([0, 0, 1, 2]),
    items=np.array([1, 2, 2, 0]),
    ratings=np.array([5.0, 3.0, 4.0, 1.0]),
    timestamps=np.array([0, 1, 3 * DAY_S, 3 * DAY_S + 5]),
)


def job(**more):
    return SimpleNamespace(**{"n_users": 3, "n_items": 4, "scale": [0.5, 5.0, 0.5], "settings": {}, **more})
