"""Indices follow the sorted ids, and tables follow the indices."""

import tracemalloc
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.data.conftest import ROWS, write_u_data

from movielens_recsys.data.indexing import index_ids
from movielens_recsys.data.load import load_ratings
from movielens_recsys.settings import Settings


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


def test_tables_of_text_ids_are_aligned_as_they_are_written(settings: Settings, tmp_path: Path):
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating\n1,0031887,5\n2,31887,1\n1,tt1,3\n")
    movies = "movieId,title,genres\n31887,Plain,\n0031887,Padded,\ntt1,Text,\ntt1,Again,\n"
    (tmp_path / "movies.csv").write_text(movies)
    ratings = load_ratings(tmp_path, settings)
    assert ratings.item_ids.tolist() == ["0031887", "31887", "tt1"]
    assert ratings.titles(np.arange(3)) == ["Padded", "Plain", "Text"]
    assert "item_table_repeats" in {finding.name for finding in ratings.findings}
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating\n1,31887,5\n2,31888,1\n")
    assert load_ratings(tmp_path, settings).titles(np.arange(2)) == ["Plain", "31888"]


def test_memory_follows_the_rows_and_not_the_ids():
    tracemalloc.start()
    found, index = index_ids(pl.Series([1, 134_217_000, 5]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found[index].tolist() == [1, 134_217_000, 5]
    assert peak < 2**20


@pytest.mark.parametrize(
    ("ids", "known"),
    [
        ([5, 3, 5], [3, 5]),
        ([2**40, 1, 2**40], [1, 2**40]),
        (["b", "a", "B", "é"], ["B", "a", "b", "é"]),
    ],
)
def test_indices_follow_the_sorted_ids(ids: list[object], known: list[object]):

    found, index = index_ids(pl.Series(ids))
    assert found.tolist() == known
    assert [found[position] for position in index] == ids
    assert index.dtype == np.int32
