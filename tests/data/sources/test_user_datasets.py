"""Rating files registered under a name."""

from pathlib import Path

import numpy as np
import pytest

from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.sources.user_datasets import (
    check_dataset_name,
    find_user_dataset,
    register_dataset,
    user_dataset_names,
)
from movielens_recsys.errors import SourceError, UsageError
from movielens_recsys.settings import Settings


def test_a_registered_file_is_loaded_by_its_name(settings: Settings, rating_file: Path):
    path_hash = load_ratings(rating_file, settings).content_hash
    copy = register_dataset(rating_file, "mine", settings)
    rating_file.unlink()
    ratings = load_ratings("mine", settings)
    assert (ratings.name, ratings.content_hash) == ("mine", path_hash)
    assert user_dataset_names(settings) == ["mine"]
    assert find_user_dataset("mine", settings) is not None
    (copy.parent / "import.json").write_text("{")
    with pytest.raises(SourceError, match="is damaged"):
        load_ratings("mine", settings)


@pytest.mark.parametrize("name", ["ml-100k", "a/b", "../x", "", "x" * 300, ".hidden", "Ünï", "a b"])
def test_bad_names_are_refused_before_anything_is_written(settings: Settings, rating_file: Path, name: str):
    with pytest.raises(UsageError):
        register_dataset(rating_file, name, settings)
    assert not settings.data.exists()


def test_a_taken_name_is_refused(settings: Settings, rating_file: Path):
    register_dataset(rating_file, "mine", settings)
    with pytest.raises(UsageError, match=r"taken by .*`recsys data remove mine`"):
        register_dataset(rating_file, "mine", settings)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Books", "'Books' has capital letters; .*choose books"),
        ("x" * 65, "has 65 characters; expected at most 64"),
        ("-books", "starts with '-'"),
        ("my books", "'my books' is not a usable name"),
    ],
)
def test_a_bad_name_is_told_what_is_wrong_with_it(name: str, words: str):
    with pytest.raises(UsageError, match=words):
        check_dataset_name(name)


def test_a_table_of_items_is_copied_beside_the_ratings(settings: Settings, rating_file: Path, tmp_path: Path):
    ratings = load_ratings(rating_file, settings)
    lines = [f"{item},T{item}" for item in ratings.item_ids]
    folder = tmp_path / "tables"
    folder.mkdir()
    items = folder / rating_file.name  # the same name as that of the ratings
    items.write_text("\n".join(["isbn,what", *lines]) + "\n")
    columns = {"item": "isbn", "title": "what"}
    register_dataset(rating_file, "mine", settings, items=items, item_columns=columns)
    items.unlink()
    assert load_ratings("mine", settings).titles(np.array([0])) == [f"T{ratings.item_ids[0]}"]
