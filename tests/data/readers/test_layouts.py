"""Layouts are recognized by the names of files."""

from pathlib import Path

import pytest
from tests.data.conftest import write_u_data

from movielens_recsys.data.readers.layouts import file_layout, find_layout


def test_a_folder_without_ratings_has_no_layout(tmp_path: Path):
    assert find_layout(tmp_path) is None
    assert find_layout(tmp_path / "missing") is None


def test_a_folder_gives_its_rating_file_and_tables(tmp_path: Path):
    layout = find_layout(write_u_data(tmp_path))
    assert layout is not None
    assert (layout.name, layout.ratings) == ("u.data", tmp_path / "u.data")
    assert [path.name for path in layout.tables] == ["u.item", "u.genre", "u.user"]
    assert layout.files == (layout.ratings, *layout.tables)
    assert layout.table("u.item") == tmp_path / "u.item"
    assert layout.table("u.tag") is None


def test_several_recbole_files_in_one_folder_are_no_data_set(tmp_path: Path):
    (tmp_path / "a.inter").touch()
    layout = find_layout(tmp_path)
    assert layout is not None
    assert layout.name == "recbole"
    (tmp_path / "b.inter").touch()
    assert find_layout(tmp_path) is None


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("u.data", "u.data"),
        ("u1.base", "u.data"),
        ("ua.test", "u.data"),
        ("ratings.dat", "dat"),
        ("ml.inter", "recbole"),
        ("ratings.csv", "table"),
        ("anything", "table"),
    ],
)
def test_a_single_file_is_recognized_by_its_suffix(name: str, layout: str):
    assert file_layout(Path(name)).name == layout
