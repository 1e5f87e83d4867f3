"""Statistics of a data set count what is there."""

from __future__ import annotations

import json

import pytest
from tests.data.quality.conftest import table

from movielens_recsys.data.quality.statistics import dataset_statistics


def test_counts_and_distributions():
    statistics = dataset_statistics(table([0, 0, 0, 1], [0, 1, 2, 0], [1, 2, 2, 5], [0, 60, 120, 86_400]))
    assert (statistics.ratings, statistics.users, statistics.items) == (4, 2, 3)
    assert statistics.density == pytest.approx(4 / 6)
    assert statistics.mean == 2.5
    assert statistics.histogram == {"1": 1, "2": 2, "3": 0, "4": 0, "5": 1}
    assert statistics.per_user == (1, 1.5, 2, 2.5, 3)
    assert (statistics.first, statistics.last) == ("1970-01-01T00:00:00+00:00", "1970-01-02T00:00:00+00:00")


def test_without_times_there_is_no_span_and_json_holds_every_value():
    statistics = dataset_statistics(table([0], [0], [4]))
    assert (statistics.first, statistics.last) == (None, None)
    assert json.loads(json.dumps(statistics.to_json()))["content_hash"] == statistics.content_hash


def test_times_beyond_the_calendar_have_no_date():
    assert dataset_statistics(table([0, 0], [0, 1], [4, 5], [0, 2**60])).last is None
