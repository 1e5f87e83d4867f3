"""Helpers of the quality checks' tests: small tables, and their findings by name."""

from __future__ import annotations

import numpy as np

from movielens_recsys.data.quality.checks import check_ratings
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale


def table(users, items, values, times=None, **more):
    n_users, n_items = max(users, default=0) + 1, max(items, default=0) + 1
    return Ratings(
        **{
            "name": "table",
            "users": np.array(users, dtype=np.int32),
            "items": np.array(items, dtype=np.int32),
            "ratings": np.array(values, dtype=np.float32),
            "timestamps": None if times is None else np.array(times, dtype=np.int64),
            "user_ids": np.arange(1, n_users + 1),
            "item_ids": np.arange(1, n_items + 1),
            "scale": Scale(1, 5, 1),
            **more,
        }
    )


def found(ratings, **minimums):
    return {finding.name: finding for finding in check_ratings(ratings, **minimums)}
