"""Times in the future are counted as of today, also where ratings come from the cache."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from movielens_recsys.data.cleaning.future_times import NAME, recount_future_times
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.settings import Settings

WRITTEN = 1_700_000_000
WEEK_S = 7 * 86_400


def load(folder: Path, settings: Settings) -> Ratings:
    path = folder / "ratings.csv"
    rows = [f"{user},{item},{3 + user % 2},{WRITTEN + user}" for user in range(1, 5) for item in range(1, 4)]
    path.write_text("\n".join(["user,item,rating,timestamp", *rows]) + "\n")
    return load_ratings(path, settings)


def counts(ratings: Ratings) -> list[float]:
    return [finding.value for finding in ratings.findings if finding.name == NAME]


def test_a_finding_ends_when_its_time_has_come(tmp_path: Path, settings: Settings) -> None:
    ratings = load(tmp_path, settings)
    before = recount_future_times(ratings, WRITTEN - WEEK_S)
    assert (counts(ratings), counts(before)) == ([], [12.0])
    assert recount_future_times(before, WRITTEN + WEEK_S).findings == ratings.findings
    assert recount_future_times(ratings, WRITTEN + WEEK_S) is ratings
    assert before.content_hash == ratings.content_hash


def test_cached_ratings_are_checked_as_of_the_day_they_are_loaded(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: float(WRITTEN - WEEK_S))
    assert counts(load(tmp_path, settings)) == [12.0]
    assert any((settings.data / "cache").glob("*/manifest.json"))
    monkeypatch.setattr(time, "time", lambda: float(WRITTEN + WEEK_S))
    assert counts(load(tmp_path, settings)) == []
