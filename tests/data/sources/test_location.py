"""Where data are, and whether they can be reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from movielens_recsys.data.config import DataConfig
from movielens_recsys.data.sources.location import can_be_reached, locate_data
from movielens_recsys.data.sources.user_datasets import register_dataset
from movielens_recsys.settings import Settings


def test_a_path_an_import_and_an_official_set_are_located(settings: Settings, small_ratings: Path) -> None:
    file = DataConfig(path=small_ratings)
    register_dataset(small_ratings, "mine", settings)
    imported, official = DataConfig(name="mine"), DataConfig(name="ml-100k")
    assert locate_data(file, settings) == small_ratings
    assert locate_data(imported, settings) == settings.data / "imports" / "mine" / "small.csv"
    assert locate_data(official, settings) is None
    assert can_be_reached(official, settings), "it can be fetched"
    small_ratings.unlink()
    assert locate_data(file, settings) is None
    assert not can_be_reached(file, settings)
    assert can_be_reached(imported, settings)
    assert not can_be_reached(DataConfig(name="never_imported"), settings)


def test_a_relative_path_is_kept_as_an_absolute_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ann")
    assert DataConfig(path=Path("a.csv")).with_absolute_path().path == tmp_path / "a.csv"
    assert DataConfig(path=Path("~/a.csv")).with_absolute_path().path == Path("/home/ann/a.csv")
    assert DataConfig(name="mine").with_absolute_path() == DataConfig(name="mine")
