"""Ratings by name or path, through the cache."""

import os
from pathlib import Path

import numpy as np
import pytest
from tests.data.conftest import RATING_CSV, write_u_data

from movielens_recsys.data.config import DataConfig
from movielens_recsys.data.load import load_configured, load_ratings
from movielens_recsys.data.readers.options import ReadOptions
from movielens_recsys.data.scale import Scale
from movielens_recsys.data.sources.user_datasets import register_dataset
from movielens_recsys.errors import ReadError, SourceError, UnknownNameError, UsageError
from movielens_recsys.models.features.side_info import item_features
from movielens_recsys.settings import Settings


def test_a_second_load_comes_from_the_cache_and_changed_bytes_do_not(settings: Settings, rating_file: Path):
    first = load_ratings(rating_file, settings)
    entries = list((settings.data / "cache").glob("*/manifest.json"))
    again = load_ratings(rating_file, settings)
    assert again.content_hash == first.content_hash
    assert list((settings.data / "cache").glob("*/manifest.json")) == entries
    rating_file.write_text(RATING_CSV.replace("5,50,4", "5,50,1"))
    assert load_ratings(rating_file, settings).ratings.tolist() == [1, 2, 3]


def test_a_damaged_cache_is_rebuilt(settings: Settings, rating_file: Path):
    first = load_ratings(rating_file, settings)
    for path in (settings.data / "cache").glob("*/rows.parquet"):
        path.write_bytes(b"PAR1")
    assert load_ratings(rating_file, settings).content_hash == first.content_hash


def test_a_disk_that_refuses_the_cache_does_not_refuse_the_ratings(
    settings: Settings, rating_file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("movielens_recsys.data.sources.cache._MIN_AGE_S", -1.0)
    settings.data.write_text("in the way")
    assert len(load_ratings(rating_file, settings)) == 3


def test_rows_are_refused_by_line_or_rejected_and_counted(settings: Settings, rating_file: Path):
    rating_file.write_text(RATING_CSV + "6,40,none,40\n,40,1,50\n")
    with pytest.raises(ReadError, match=r"own\.csv line 5"):
        load_ratings(rating_file, settings)
    ratings = load_ratings(rating_file, settings, bad_rows="reject")
    assert (ratings.rows_read, len(ratings), ratings.rows_rejected) == (5, 3, 2)
    assert ratings.findings


def test_an_official_data_set_is_held_to_its_scale(settings: Settings, tmp_path: Path):
    folder = write_u_data(tmp_path / "sets" / "ml-100k")
    on_path = Settings(data=settings.data, data_path=str(folder.parent))
    assert load_ratings("ml-100k", on_path).scale == Scale(1.0, 5.0, 1.0)
    (folder / "u.data").write_text("1\t10\t6\t874965758\n")
    with pytest.raises(ReadError, match=r"u\.data line 1"):
        load_ratings("ml-100k", on_path)


def test_a_missing_data_set_is_an_error_with_a_next_step(
    settings: Settings, tmp_path: Path, rating_file: Path
):
    with pytest.raises(UnknownNameError, match="did you mean 'ml-1m'"):
        load_ratings("ml_1m", settings)
    with pytest.raises(SourceError, match="nothing at"):
        load_ratings(tmp_path / "missing.csv", settings)
    with pytest.raises(SourceError, match="nothing at"):
        load_ratings("missing.csv", settings)
    with pytest.raises(SourceError, match="holds no rating file"):
        load_ratings(settings.home.parent / "..", settings)
    with pytest.raises(SourceError, match="recsys data fetch ml-10m"):
        load_ratings("ml-10m", settings, fetch=False)
    with pytest.raises(UsageError, match=r"ml-100k is an official data set.*leave --columns out"):
        load_ratings("ml-100k", settings, columns={"user": "x"})


def test_a_table_of_items_gives_titles_and_genres(settings: Settings, rating_file: Path, tmp_path: Path):
    plain = load_ratings(rating_file, settings)
    items = tmp_path / "items.csv"
    lines = [f"{item},Title {number},Drama|War" for number, item in enumerate(plain.item_ids)]
    items.write_text("\n".join(["id,name,genres", *lines]) + "\n")
    ratings = load_ratings(rating_file, settings, items=items)
    everything = np.arange(ratings.n_items)
    assert ratings.titles(everything) == [f"Title {number}" for number in everything]
    features = item_features(ratings)
    assert features is not None
    np.testing.assert_array_equal(features.toarray(), np.ones((ratings.n_items, 2)))
    assert ratings.content_hash == plain.content_hash, "titles do not count"
    again = load_ratings(rating_file, settings, items=str(items))
    assert again.item_table.equals(ratings.item_table)
    items.write_text(items.read_text().replace("Title 0", "Emma"))
    assert load_ratings(rating_file, settings, items=items).titles(everything)[0] == "Emma"
    assert load_ratings(rating_file, settings).item_table is None


def test_items_with_text_ids_keep_their_leading_zeros(settings: Settings, tmp_path: Path):
    (tmp_path / "own.csv").write_text("user,item,rating\na,007,5\na,7,3\nb,007,1\nb,12,4\n")
    (tmp_path / "items.csv").write_text("item,title\n7,Seven\n007,Bond\n")
    ratings = load_ratings(tmp_path / "own.csv", settings, items=tmp_path / "items.csv")
    assert dict(zip(ratings.item_ids, ratings.titles(np.arange(3)), strict=True)) == {
        "007": "Bond",
        "12": "12",
        "7": "Seven",
    }
    assert any(finding.name == "items_without_title" for finding in ratings.findings)


def test_interactions_are_read_cached_and_registered(settings: Settings, tmp_path: Path):
    path = tmp_path / "plays.csv"
    path.write_text("user,item,plays\n1,10,3\n1,10,1\n2,10,0\n2,11,5\n")
    first = load_ratings(path, settings, implicit=True)
    assert first.implicit
    assert (len(first), first.ratings.tolist(), first.scale) == (2, [1, 1], Scale(0, 1, 1))
    assert first.rows_read == len(first) + first.rows_rejected
    cached = load_ratings(path, settings, implicit=True)
    assert cached.implicit
    assert cached.content_hash == first.content_hash
    with pytest.raises(ReadError, match="add --implicit"):
        load_ratings(path, settings)
    register_dataset(path, "plays", settings, ReadOptions(implicit=True))
    assert load_ratings("plays", settings).content_hash == first.content_hash


def test_a_number_may_mean_not_rated(settings: Settings, tmp_path: Path):
    path = tmp_path / "books.csv"
    path.write_text("user,item,rating\n1,10,0\n1,11,8\n2,10,3\n")
    assert load_ratings(path, settings).scale == Scale(0, 8, 1)
    rated = load_ratings(path, settings, unrated=0)
    assert (len(rated), rated.rows_rejected, rated.scale) == (2, 1, Scale(3, 8, 1))


def test_a_pipe_is_refused(settings: Settings, tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(SourceError, match=r"pipe\.csv is a pipe or a device"):
        load_ratings(tmp_path / "pipe.csv", settings)


def test_a_configured_path_names_the_command_that_takes_the_options(settings: Settings, tmp_path: Path):
    path = tmp_path / "my books.csv"
    path.write_text("who,book,stars\na,x,3\n")
    with pytest.raises(
        ReadError, match=r"--columns .* an option of `recsys data import '.*my books.csv' --name"
    ):
        load_configured(DataConfig(path=path), settings)
