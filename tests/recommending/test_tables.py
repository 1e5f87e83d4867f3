"""Tables of recommendations, and files that are whole or not there."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.errors import UsageError
from movielens_recsys.models.baselines_config import UserItemBiasConfig
from movielens_recsys.models.factory import build_model
from movielens_recsys.recommending.ranking import rank_for_users
from movielens_recsys.recommending.rated_items import RatedItems
from movielens_recsys.recommending.tables import check_output, ranked_table, write_table, write_text

BLOCKS = [
    pl.DataFrame({"user": [1, 1], "title": ['a "b", c', "é"]}),
    pl.DataFrame({"user": [2], "title": ["d"]}),
]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("a.csv", pl.read_csv),
        ("a.jsonl", pl.read_ndjson),
        ("a.NDJSON", pl.read_ndjson),
        ("a.pq", pl.read_parquet),
    ],
)
def test_blocks_become_one_table(tmp_path: Path, name: str, read: object) -> None:
    path = tmp_path / name
    check_output(path, force=False)
    assert write_table(iter(BLOCKS), path) == 3
    assert read(path).equals(pl.concat(BLOCKS))  # type: ignore[operator]


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_failure_leaves_what_was_there(tmp_path: Path, name: str) -> None:
    def broken() -> Iterator[pl.DataFrame]:
        yield BLOCKS[0]
        raise ValueError("no more")

    (tmp_path / name).write_text("old")
    with pytest.raises(ValueError, match="no more"):
        write_table(broken(), tmp_path / name)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_the_header_is_written_once() -> None:
    file = io.BytesIO()
    assert write_text(iter(BLOCKS), file) == 3
    assert file.getvalue().decode().splitlines()[0] == "user,title"
    assert file.getvalue().count(b"user") == 1


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "there.csv").write_text("old")
    (tmp_path / "folder.csv").mkdir()
    for path, words in (
        ("a.xlsx", r"ending '\.xlsx'.*a\.csv"),
        ("a", "no ending"),
        ("away/a.csv", "no folder"),
        ("there.csv", "is there already; .*--force"),
        ("folder.csv", "is a folder"),
    ):
        with pytest.raises(UsageError, match=words):
            check_output(tmp_path / path, force=False)
    check_output(tmp_path / "there.csv", force=True)


def test_ids_keep_their_type_and_titles_are_there(ratings: Ratings) -> None:
    text = replace(ratings, item_ids=np.array([f"i{item:02}" for item in range(40)], dtype=object))
    model = build_model(UserItemBiasConfig(), text)
    users = np.array([3, 9])
    ranked = rank_for_users(model, users, RatedItems.of(text), 2)
    table = ranked_table(ranked, text, text.user_ids[users].tolist(), predicted=True)
    assert table.columns == ["user", "item", "rank", "score", "predicted_rating", "title"]
    assert (table["user"].dtype, table["item"].dtype) == (pl.Int64, pl.String)
    assert table["user"].to_list() == np.repeat(text.user_ids[users], 2).tolist()
    assert table["title"].to_list() == table["item"].to_list(), "without titles, ids take their place"
    assert "predicted_rating" not in ranked_table(ranked, text, ["a", "b"], predicted=False).columns
