"""Checks of a finished table: each is met where it should be, and silent where it should be."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from movielens_recsys.data.quality.checks import check_ratings
from movielens_recsys.data.ratings import Ratings, Scale
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.schema import Severity


def table(users, items, stars, times=None, **more):
    n_users, n_items = max(users, default=0) + 1, max(items, default=0) + 1
    return Ratings(
        **{
            "name": "table",
            "users": np.array(users, dtype=np.int32),
            "items": np.array(items, dtype=np.int32),
            "ratings": np.array(stars, dtype=np.float32),
            "timestamps": None if times is None else np.array(times, dtype=np.int64),
            "user_ids": np.arange(1, n_users + 1),
            "item_ids": np.arange(1, n_items + 1),
            "scale": Scale(1, 5, 1),
            **more,
        }
    )


def found(ratings, **minimums):
    return {finding.name: finding for finding in check_ratings(ratings, **minimums)}


def test_thin_users_and_items_are_counted():
    ratings = table([0, 0, 0, 1, 1], [0, 1, 2, 0, 3], [1, 2, 3, 4, 5])
    findings = found(ratings, min_user_ratings=3, min_item_ratings=2)
    assert findings["users_below_minimum"].value == 1
    assert "fewer than 3 ratings" in findings["users_below_minimum"].advice
    assert findings["items_below_minimum"].value == 3
    assert findings["density"].value == 5 / 8
    assert not {"users_below_minimum", "items_below_minimum"} & set(
        found(ratings, min_user_ratings=2, min_item_ratings=1)
    )


def test_orphans_and_silent_catalogue_items_are_told_apart():
    items = pl.DataFrame({"item_id": [1, 2, 3], "title": ["A", None, "C"], "year": [1990, None, None]})
    findings = found(table([0, 0], [0, 1], [1, 5], item_ids=np.array([1, 2, 3]), item_table=items))
    assert findings["items_without_attributes"].value == 1
    assert findings["items_never_rated"].value == 1
    assert "users_without_attributes" not in findings


def test_gaps_in_ids_are_harmless_and_text_ids_have_none():
    ids = {"user_ids": np.array([3, 9]), "item_ids": np.array(["a", "b"], dtype=object)}
    findings = found(table([0, 1], [0, 1], [1, 5], **ids))
    assert (findings["user_id_gaps"].value, findings["user_id_gaps"].severity) == (5, Severity.INFO)
    assert "item_id_gaps" not in findings


def test_unused_levels_are_reported():
    assert found(table([0, 0], [0, 1], [4, 5]))["scale_share_unused"].value == pytest.approx(0.6)
    assert "scale_share_unused" not in found(table([0] * 5, range(5), [1, 2, 3, 4, 5]))


def test_missing_times_are_reported():
    assert "no_timestamps" in found(table([0], [0], [4]))
    assert "no_timestamps" not in found(table([0], [0], [4], [1]))


def test_bursts_are_information_only():
    findings = found(table([0, 0, 0, 1, 1], [0, 1, 2, 0, 1], [1, 2, 3, 4, 5], [7, 7, 8, 7, 9]))
    assert findings["ratings_in_same_second"].value == 2
    assert findings["ratings_in_same_second"].severity is Severity.INFO
    assert "ratings_in_same_second" not in found(table([0, 0, 1], [0, 1, 0], [1, 2, 3], [0, 0, 7]))


@pytest.mark.parametrize(("gap_s", "expected"), [(59, 1), (61, None)])
def test_more_than_sixty_ratings_in_a_minute_are_hasty(gap_s, expected):
    times = [1000 + round(step * gap_s / 60) for step in range(61)]
    others = [times[0]] * 60
    ratings = table([0] * 61 + [1] * 60, [*range(61), *range(60)], [1, 5] * 60 + [1], times + others)
    hasty = found(ratings).get("hasty_profiles")
    assert (hasty and hasty.value) == expected


@pytest.mark.parametrize(("n", "expected"), [(20, 1), (19, None)])
def test_a_profile_of_one_rating_is_constant(n, expected):
    constant = found(table([0] * n + [1, 1], [*range(n), 0, 1], [3] * n + [1, 5])).get("constant_profiles")
    assert (constant and constant.value) == expected


def test_random_profiles_are_met_and_honest_ones_are_not():
    ratings = synthetic_ratings(200, 400, 30_000, seed=1).ratings
    counts = np.bincount(ratings.users)
    busy = np.flatnonzero(counts >= 120)
    honest = found(ratings).get("random_profiles")
    assert honest is None or honest.value <= 0.03 * len(busy)
    false_ones = busy[:15]
    stars = ratings.ratings.copy()
    theirs = np.isin(ratings.users, false_ones)
    stars[theirs] = np.random.default_rng(1).integers(1, 6, theirs.sum())
    changed = table(ratings.users, ratings.items, stars)
    assert 13 <= found(changed)["random_profiles"].value <= 15 + 0.03 * len(busy)


def test_no_ratings_is_an_error_finding():
    (finding,) = check_ratings(table([], [], []))
    assert (finding.name, finding.severity) == ("no_ratings", Severity.ERROR)


def test_every_finding_carries_an_advice_and_survives_json():
    ratings = table([0, 0, 0], [0, 1, 2], [4, 4, 4], [5, 5, 6])
    for finding in check_ratings(ratings):
        assert finding.advice
        assert type(finding).from_json(finding.to_json()) == finding
