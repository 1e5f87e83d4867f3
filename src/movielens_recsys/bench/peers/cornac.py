"""Cornac: MF for ratings, BiVAE for lists.

Settings: ``model``, the name of a class of ``cornac.models``, and ``parameters`` for it. For lists the
ratings from ``relevance_threshold`` on are the positives, all alike. An unknown user or item is predicted
by the mean, as Cornac's ``rate`` does, and has no score in lists.
"""

from __future__ import annotations

from typing import Any

import numpy as np

LIBRARY = "cornac"
DISTRIBUTIONS = ("cornac", "torch", "scipy")
UNSCORED = -1e30


def fit(train: Any, validation: Any, job: Any) -> Model:
    """Fit the model on ids that are the indices themselves."""
    import cornac

    users, items, ratings = train.users, train.items, train.ratings
    if job.suite == "ranking":
        liked = ratings >= job.relevance_threshold
        users, items, ratings = users[liked], items[liked], np.ones(int(liked.sum()))
    triples = list(zip(users.tolist(), items.tolist(), ratings.tolist(), strict=True))
    dataset = cornac.data.Dataset.from_uir(triples, seed=job.seed)
    model = getattr(cornac.models, job.settings["model"])(seed=job.seed, **job.settings.get("parameters", {}))
    return Model(model.fit(dataset), dataset, job.n_items)


class Model:
    """A fitted model behind our indices."""

    def __init__(self, model: Any, dataset: Any, n_items: int) -> None:
        self._model = model
        self._users, self._items = dataset.uid_map, dataset.iid_map
        self._n_items = n_items

    def predict(self, users: Any, items: Any, timestamps: Any) -> Any:
        """Return its ratings; -1 is Cornac's index of the unknown."""
        inner_users = [self._users.get(user, -1) for user in users.tolist()]
        inner_items = [self._items.get(item, -1) for item in items.tolist()]
        rate = self._model.rate
        mean = self._model.global_mean
        return np.array(
            [
                rate(user, item) if user >= 0 and item >= 0 else mean
                for user, item in zip(inner_users, inner_items, strict=True)
            ]
        )

    def score(self, users: Any) -> Any:
        """Return its scores; `UNSCORED` for unknown users and items."""
        columns = np.fromiter(self._items, dtype=np.int64)
        inner = np.fromiter(self._items.values(), dtype=np.int64)
        scores = np.full((len(users), self._n_items), UNSCORED)
        for row, user in enumerate(users.tolist()):
            if user in self._users:
                scores[row, columns] = np.asarray(self._model.score(self._users[user]))[inner]
        return scores
