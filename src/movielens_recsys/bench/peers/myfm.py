"""myFM: Bayesian factorisation machines with an ordered probit, Gibbs-sampled (Ohtsuki 2021).

As in its paper's best rating model: user and item, each with its implicit features (the items a user rated,
the users who rated an item, over the square root of their number), and the rating's day. Settings: ``rank``,
``iterations``, and ``day`` and ``bags`` (the implicit features), which can be false. The last 85 % of the
iterations are averaged. A day without training ratings has no feature.
"""

from __future__ import annotations

from typing import Any

import numpy as np

LIBRARY = "myfm"
DISTRIBUTIONS = ("myfm", "scipy")
KEPT_FRACTION = 0.85
DAY_S = 86_400


def fit(train: Any, validation: Any, job: Any) -> Model:
    """Sample the factorisation machine."""
    import myfm

    model = Model(train, job)
    low, _, step = job.scale
    iterations = job.settings["iterations"]
    shapes = [model.days.size, *model.shapes] if model.days.size else model.shapes
    model.machine = myfm.MyFMOrderedProbit(rank=job.settings["rank"], random_seed=job.seed)
    model.machine.fit(
        model.day_features(train.timestamps, len(train.users)),
        np.rint((train.ratings - low) / step).astype(int),
        X_rel=model.blocks(train.users, train.items),
        group_shapes=shapes,
        n_iter=iterations,
        n_kept_samples=int(iterations * KEPT_FRACTION),
    )
    return model


class Model:
    """A sampled machine and its features."""

    machine: Any

    def __init__(self, train: Any, job: Any) -> None:
        from scipy import sparse

        use_day = job.settings.get("day", True) and train.timestamps is not None
        self.days = np.unique(train.timestamps // DAY_S) if use_day else np.zeros(0, np.int64)
        low, high, step = job.scale
        self.levels = low + step * np.arange(round((high - low) / step) + 1)
        ones = np.ones(len(train.users))
        rated = sparse.csr_matrix((ones, (train.users, train.items)), shape=(job.n_users, job.n_items))
        self.user_features = sparse.identity(job.n_users, format="csr")
        self.item_features = sparse.identity(job.n_items, format="csr")
        self.shapes = [job.n_users, job.n_items]
        if job.settings.get("bags", True):
            self.user_features = sparse.hstack([self.user_features, implicit_features(rated)]).tocsr()
            self.item_features = sparse.hstack(
                [self.item_features, implicit_features(rated.T.tocsr())]
            ).tocsr()
            self.shapes = [job.n_users, job.n_items, job.n_items, job.n_users]

    def predict(self, users: Any, items: Any, timestamps: Any) -> Any:
        """Return the expected rating, averaged over posterior samples."""
        probabilities = self.machine.predict_proba(
            self.day_features(timestamps, len(users)), self.blocks(users, items)
        )
        return probabilities @ self.levels[: probabilities.shape[1]]

    def day_features(self, timestamps: Any, n: int) -> Any:
        """Return the one-hot day of each row; all zero for a day without training ratings."""
        from scipy import sparse

        if not self.days.size:
            return None
        day = timestamps // DAY_S
        column = np.minimum(np.searchsorted(self.days, day), self.days.size - 1)
        known = self.days[column] == day
        row = np.arange(n)[known]
        return sparse.csr_matrix((np.ones(len(row)), (row, column[known])), shape=(n, self.days.size))

    def blocks(self, users: Any, items: Any) -> Any:
        """Return each row's user and item as references to their features."""
        from myfm import RelationBlock

        return [RelationBlock(users, self.user_features), RelationBlock(items, self.item_features)]


def implicit_features(rated: Any) -> Any:
    """Return the rows divided by the square root of their number of entries."""
    from scipy import sparse

    counts = np.maximum(np.asarray(rated.sum(axis=1)).ravel(), 1)
    return sparse.diags(1 / np.sqrt(counts)) @ rated
