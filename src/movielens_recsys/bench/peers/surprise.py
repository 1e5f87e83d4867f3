"""scikit-surprise: SVD, SVD++ and kNN-baseline with the defaults of its documentation's benchmark.

Settings: ``algorithm``, the name of a class of ``surprise``, and ``parameters`` for it. For an unknown
user or item it predicts without them (biases, the mean), as its ``predict`` does.
"""

from __future__ import annotations

import contextlib
import os
import random
from typing import Any

import numpy as np

LIBRARY = "surprise"
DISTRIBUTIONS = ("scikit-surprise", "scipy")
SEEDED = ("SVD", "SVDpp", "NMF")


def fit(train: Any, validation: Any, job: Any) -> Model:
    """Fit the algorithm; raw ids are the indices themselves."""
    import surprise
    from surprise import Trainset

    random.seed(job.seed)
    np.random.seed(job.seed)  # noqa: NPY002 (surprise uses it)
    parameters = dict(job.settings.get("parameters", {}))
    if job.settings["algorithm"] in SEEDED:
        parameters["random_state"] = job.seed
    by_user: dict[int, list[tuple[int, float]]] = {}
    by_item: dict[int, list[tuple[int, float]]] = {}
    inner_users, inner_items = _inner(train.users), _inner(train.items)
    rows = zip(train.users.tolist(), train.items.tolist(), train.ratings.tolist(), strict=True)
    for raw_user, raw_item, rating in rows:
        user, item = inner_users[raw_user], inner_items[raw_item]
        by_user.setdefault(user, []).append((item, rating))
        by_item.setdefault(item, []).append((user, rating))
    low, high, _ = job.scale
    trainset = Trainset(
        by_user,
        by_item,
        len(inner_users),
        len(inner_items),
        len(train.ratings),
        (low, high),
        inner_users,
        inner_items,
    )
    algorithm = getattr(surprise, job.settings["algorithm"])(**parameters)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        algorithm.fit(trainset)
    return Model(algorithm)


def _inner(raw: Any) -> dict[int, int]:
    """Return surprise's inner id of each raw one: in order of first appearance, as surprise assigns them."""
    return {identity: inner for inner, identity in enumerate(dict.fromkeys(raw.tolist()))}


class Model:
    """A fitted algorithm."""

    def __init__(self, algorithm: Any) -> None:
        self._algorithm = algorithm

    def predict(self, users: Any, items: Any, timestamps: Any) -> Any:
        """Return its estimates."""
        return np.array(
            [self._algorithm.predict(u, i).est for u, i in zip(users.tolist(), items.tolist(), strict=True)]
        )
