"""Users who rate constantly, too fast or at random are found, and others hardly ever."""

from __future__ import annotations

import numpy as np
import pytest
from tests.data.quality.conftest import found, table

from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.schema import Severity


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
def test_a_user_with_one_rating_value_is_constant(n, expected):
    constant = found(table([0] * n + [1, 1], [*range(n), 0, 1], [3] * n + [1, 5])).get("constant_profiles")
    assert (constant and constant.value) == expected


def test_random_raters_are_found_and_others_are_not():
    ratings = synthetic_ratings(200, 400, 30_000, seed=1).ratings
    counts = np.bincount(ratings.users)
    busy = np.flatnonzero(counts >= 120)
    honest = found(ratings).get("random_profiles")
    assert honest is None or honest.value <= 0.03 * len(busy)
    false_ones = busy[:15]
    values = ratings.ratings.copy()
    theirs = np.isin(ratings.users, false_ones)
    values[theirs] = np.random.default_rng(1).integers(1, 6, theirs.sum())
    changed = table(ratings.users, ratings.items, values)
    assert 13 <= found(changed)["random_profiles"].value <= 15 + 0.03 * len(busy)


def test_days_without_hours_are_said_to_be_days():
    days = [86_400 * 19_000] * 70
    findings = found(table([0] * 70, range(70), [1, 5] * 35, days))
    assert "the times are days" in findings["ratings_in_same_second"].advice
    assert "hasty_profiles" not in findings
