"""LensKit: biased factorisation and item-kNN for ratings; implicit MF, item-kNN and EASE for lists.

Settings: ``scorer``, ``module.Class`` below ``lenskit``, and ``parameters`` for it. Ratings come from its
prediction pipeline, in which a bias model predicts for unknown users and items; lists from its recommendation
pipeline. For lists the ratings from ``relevance_threshold`` on are the positives.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from typing import Any

import numpy as np

LIBRARY = "lenskit"
DISTRIBUTIONS = ("lenskit", "torch", "scipy")


def fit(train: Any, validation: Any, job: Any) -> Model:
    """Train the pipeline around the scorer on ids that are the indices themselves."""
    import lenskit.pipeline
    import pandas as pd
    from lenskit.data import from_interactions_df
    from lenskit.logging import LoggingConfig
    from lenskit.training import TrainingOptions

    warnings.simplefilter("ignore")
    quiet = LoggingConfig()
    quiet.set_verbose(False)
    logging.getLogger().setLevel(logging.WARNING)
    module, name = job.settings["scorer"].rsplit(".", 1)
    scorer = getattr(importlib.import_module(f"lenskit.{module}"), name)(**job.settings.get("parameters", {}))
    columns = {"user_id": train.users, "item_id": train.items, "rating": train.ratings}
    frame = pd.DataFrame(columns)
    for_lists = job.suite == "ranking"
    pipeline = (
        lenskit.pipeline.topn_pipeline(scorer) if for_lists else lenskit.pipeline.predict_pipeline(scorer)
    )
    if for_lists:
        frame = frame[frame["rating"] >= job.relevance_threshold]
    pipeline.train(from_interactions_df(frame), TrainingOptions(rng=job.seed))
    return Model(pipeline, train, for_lists)


class Model:
    """A trained pipeline."""

    def __init__(self, pipeline: Any, train: Any, for_lists: bool) -> None:
        self._pipeline = pipeline
        if for_lists:
            self._seen = _by_user(train)

    def predict(self, users: Any, items: Any, timestamps: Any) -> Any:
        """Return its predictions, computed user by user."""
        from lenskit.data import ItemList

        predicted = np.empty(len(users))
        order = np.argsort(users, kind="stable")
        starts = 1 + np.flatnonzero(np.diff(users[order]))
        for rows in np.split(order, starts):
            output = self._pipeline.run(
                "rating-predictor", query=int(users[rows[0]]), items=ItemList(item_ids=items[rows])
            )
            predicted[rows] = output.scores()
        return predicted

    def top(self, users: Any, k: int) -> Any:
        """Return the first of its recommendations, without the items that a user rated in training."""
        lists = np.full((len(users), k), -1, dtype=np.int64)
        for row, user in enumerate(users.tolist()):
            seen = self._seen.get(user, ())
            output = self._pipeline.run("recommender", query=user, n=k + len(seen))
            items = np.asarray(output.ids(), dtype=np.int64)
            new = items[~np.isin(items, seen)][:k]
            lists[row, : len(new)] = new
        return lists


def _by_user(train: Any) -> dict[int, Any]:
    order = np.argsort(train.users, kind="stable")
    users, starts = np.unique(train.users[order], return_index=True)
    return dict(zip(users.tolist(), np.split(train.items[order], starts[1:]), strict=True))
