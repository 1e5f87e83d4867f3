"""Facts about the split protocols on ML-100K: the numbers in docs/explanation.

Run ``python benchmarks/protocol_facts.py``; ML-100K is found or fetched as by ``recsys data fetch``. The
values are counted on the splits; the only model is user and item biases with their default penalties.
"""

from __future__ import annotations

import numpy as np

from movielens_recsys.data.config import GlobalTemporalSplit, LeaveLastSplit, RandomSplit
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.splits.split import Split, make_split, split_name, split_summary
from movielens_recsys.models.baselines import UserItemBias
from movielens_recsys.models.baselines_config import UserItemBiasConfig
from movielens_recsys.settings import load_settings

K, RELEVANT_FROM = 10, 4.0


def fact(name: str, value: str) -> None:
    """Print one line."""
    print(f"  {name:<52} {value}")


def neighbours_in_time(split: Split) -> None:
    """Print how close to each test rating, and how often after it, the same user appears in training."""
    train, test = split.part("train"), split.part("test")
    assert train.timestamps is not None
    assert test.timestamps is not None
    later, gaps = [], []
    for user in np.unique(test.users):
        known = train.timestamps[train.users == user]
        times = test.timestamps[test.users == user]
        later += list(times < known.max())
        gaps += list(np.abs(times[:, None] - known).min(axis=1))
    fact("training holds a later rating of the same user", f"{np.mean(later):.1%}")
    for seconds in (60, 300):
        fact(f"... one within {seconds} s", f"{np.mean(np.array(gaps) <= seconds):.1%}")


def cold_users_and_items(split: Split) -> None:
    """Print the share of test rows whose user or item has no training rating."""
    train, test, summary = split.part("train"), split.part("test"), split_summary(split).test
    fact("test ratings by an unknown user", f"{np.mean(~np.isin(test.users, train.users)):.1%}")
    fact("test ratings of an unknown item", f"{np.mean(~np.isin(test.items, train.items)):.1%}")
    fact("unknown users", f"{summary.cold_users} of {summary.users}")


def floor_and_ceiling(split: Split) -> None:
    """Print what a random and a perfect order get by `rated` ranking, in expectation."""
    test = split.part("test")
    counts = np.bincount(test.users, minlength=test.n_users)
    relevant = np.bincount(test.users[test.ratings >= RELEVANT_FROM], minlength=test.n_users)
    n, r = counts[relevant > 0], relevant[relevant > 0]
    shown, found = np.minimum(n, K), np.minimum(r, K)
    fact("users with test ratings, with a relevant one", f"{np.sum(counts > 0)}, {len(r)}")
    fact(f"users with at most {K} test ratings", f"{np.mean(counts[counts > 0] <= K):.1%}")
    for name, precision, recall in (
        ("random", shown / n * r / K, shown / n),
        ("perfect", found / K, found / r),
    ):
        fact(f"rated, {name} order: P@{K}, R@{K}", f"{precision.mean():.3f}, {recall.mean():.3f}")


def bias_rmse(split: Split) -> None:
    """Print the test RMSE of user and item biases."""
    test = split.part("test")
    model = UserItemBias.fit(UserItemBiasConfig(), split.part("train"))
    error = model.predict(test.users, test.items) - test.ratings
    fact("user + item bias, test RMSE", f"{np.sqrt(np.mean(error**2)):.4f}")


def minutes_of_a_user(ratings: Ratings) -> float:
    """Return the median over users of the time from first to last rating, in minutes."""
    assert ratings.timestamps is not None
    times = [ratings.timestamps[ratings.users == user] for user in range(ratings.n_users)]
    return float(np.median([user.max() - user.min() for user in times])) / 60


def main() -> None:
    """Print the facts of each protocol."""
    ratings = load_ratings("ml-100k", load_settings())
    print(f"ml-100k, content {ratings.content_hash[:12]}")
    fact("half of its users gave all ratings within", f"{minutes_of_a_user(ratings):.0f} minutes")
    for config in (RandomSplit(), LeaveLastSplit(), GlobalTemporalSplit()):
        split = make_split(ratings, config)
        print(split_name(config))
        cold_users_and_items(split)
        bias_rmse(split)
        if isinstance(config, RandomSplit):
            neighbours_in_time(split)
            floor_and_ceiling(split)


if __name__ == "__main__":
    main()
