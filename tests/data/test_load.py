from pathlib import Path

import numpy as np
import pytest
from tests.data.conftest import ROWS, write_u_data

from movielens_recsys.data.indexing import index_ids
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.ratings import Scale
from movielens_recsys.data.sources.user_datasets import (
    find_user_dataset,
    register_dataset,
    user_dataset_names,
)
from movielens_recsys.errors import ReadError, SourceError, UnknownNameError, UsageError
from movielens_recsys.settings import Settings

CSV = "user,item,rating,timestamp\n5,50,4,10\n3,40,2,20\n5,40,3,30\n"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.csv"
    path.write_text(CSV)
    return path


def test_indices_are_contiguous_by_sorted_id_in_file_order(settings: Settings, tmp_path: Path):
    ratings = load_ratings(write_u_data(tmp_path / "anything"), settings)
    assert ratings.user_ids.tolist() == [1, 3, 7]
    assert ratings.item_ids.tolist() == [10, 20, 30]
    assert ratings.users.tolist() == [0, 0, 2, 1]
    assert ratings.items.tolist() == [0, 1, 0, 2]
    assert ratings.ratings.tolist() == [row[2] for row in ROWS]
    assert ratings.timestamps is not None
    assert ratings.timestamps.tolist() == [row[3] for row in ROWS]
    assert (ratings.users.dtype, ratings.ratings.dtype) == (np.int32, np.float32)
    assert ratings.titles(np.array([2, 0])) == ["Kolya (1996)", "Misérables, Les (1995)"]
    assert ratings.name == "anything"


def test_tables_are_in_index_order_and_orphans_have_empty_rows(settings: Settings, tmp_path: Path):
    folder = write_u_data(tmp_path / "set")
    (folder / "u.item").write_text("40|Unrated (1990)|||x|0|1|0\n30|Kolya (1996)|||x|0|0|1\n")
    table = load_ratings(folder, settings).item_table
    assert table is not None
    assert table["item_id"].to_list() == [10, 20, 30]
    assert table["title"].to_list() == [None, None, "Kolya (1996)"]


def test_a_second_load_comes_from_the_cache_and_changed_bytes_do_not(settings: Settings, own: Path):
    first = load_ratings(own, settings)
    entries = list((settings.data / "cache").glob("*/manifest.json"))
    again = load_ratings(own, settings)
    assert again.content_hash == first.content_hash
    assert list((settings.data / "cache").glob("*/manifest.json")) == entries
    own.write_text(CSV.replace("5,50,4", "5,50,1"))
    assert load_ratings(own, settings).ratings.tolist() == [1, 2, 3]


def test_a_damaged_cache_is_rebuilt(settings: Settings, own: Path):
    first = load_ratings(own, settings)
    for path in (settings.data / "cache").glob("*/rows.parquet"):
        path.write_bytes(b"PAR1")
    assert load_ratings(own, settings).content_hash == first.content_hash


def test_a_disk_that_refuses_the_cache_does_not_refuse_the_ratings(
    settings: Settings, own: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("movielens_recsys.data.sources.cache._MIN_AGE_S", -1.0)
    settings.data.write_text("in the way")
    assert len(load_ratings(own, settings)) == 3


def test_rows_are_refused_by_line_or_rejected_and_counted(settings: Settings, own: Path):
    own.write_text(CSV + "6,40,none,40\n,40,1,50\n")
    with pytest.raises(ReadError, match=r"own\.csv line 5"):
        load_ratings(own, settings)
    ratings = load_ratings(own, settings, bad_rows="reject")
    assert (ratings.rows_read, len(ratings), ratings.rows_rejected) == (5, 3, 2)
    assert ratings.findings


def test_an_official_data_set_is_held_to_its_scale(settings: Settings, tmp_path: Path):
    folder = write_u_data(tmp_path / "sets" / "ml-100k")
    on_path = Settings(data=settings.data, data_path=str(folder.parent))
    assert load_ratings("ml-100k", on_path).scale == Scale(1.0, 5.0, 1.0)
    (folder / "u.data").write_text("1\t10\t6\t874965758\n")
    with pytest.raises(ReadError, match=r"u\.data line 1"):
        load_ratings("ml-100k", on_path)


def test_an_imported_file_is_loaded_by_its_name(settings: Settings, own: Path):
    path_hash = load_ratings(own, settings).content_hash
    copy = register_dataset(own, "mine", settings)
    own.unlink()
    ratings = load_ratings("mine", settings)
    assert (ratings.name, ratings.content_hash) == ("mine", path_hash)
    assert user_dataset_names(settings) == ["mine"]
    assert find_user_dataset("mine", settings) is not None
    (copy.parent / "import.json").write_text("{")
    with pytest.raises(SourceError, match="is damaged"):
        load_ratings("mine", settings)


@pytest.mark.parametrize("name", ["ml-100k", "a/b", "../x", "", "x" * 300, ".hidden", "Ünï", "a b"])
def test_bad_names_are_refused_before_anything_is_written(settings: Settings, own: Path, name: str):
    with pytest.raises(UsageError):
        register_dataset(own, name, settings)
    assert not settings.data.exists()


def test_a_taken_name_is_refused(settings: Settings, own: Path):
    register_dataset(own, "mine", settings)
    with pytest.raises(UsageError, match="taken"):
        register_dataset(own, "mine", settings)


def test_what_cannot_be_found_is_said_in_one_line(settings: Settings, tmp_path: Path, own: Path):
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
    with pytest.raises(UsageError, match="leave the column mapping out"):
        load_ratings(write_u_data(tmp_path / "set"), settings, columns={"user": "x"})


@pytest.mark.parametrize(
    ("ids", "known"),
    [
        ([5, 3, 5], [3, 5]),
        ([2**40, 1, 2**40], [1, 2**40]),
        (["b", "a", "B", "é"], ["B", "a", "b", "é"]),
    ],
)
def test_numbers_follow_the_sorted_ids(ids: list[object], known: list[object]):
    import polars as pl

    found, index = index_ids(pl.Series(ids))
    assert found.tolist() == known
    assert [found[position] for position in index] == ids
    assert index.dtype == np.int32
