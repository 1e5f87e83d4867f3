"""Indices follow the sorted ids, and tables follow the indices."""

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
