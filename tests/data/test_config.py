"""Configurations of data and split: chosen by protocol, within their ranges."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from movielens_recsys.data.config import AnySplitConfig, DataConfig, KFoldSplit, RandomSplit, SplitConfig

splits: TypeAdapter[AnySplitConfig] = TypeAdapter(SplitConfig)


def test_the_protocol_chooses_the_configuration():
    assert splits.validate_python({"protocol": "kfold", "fold": 3}) == KFoldSplit(fold=3)
    assert splits.validate_python({"protocol": "random"}) == RandomSplit(validation=0.1, test=0.1, seed=0)


@pytest.mark.parametrize(
    "values",
    [
        {"protocol": "unknown"},
        {"protocol": "random", "test": 0},
        {"protocol": "random", "test": 1},
        {"protocol": "random", "seed": -1},
        {"protocol": "kfold", "folds": 1},
        {"protocol": "leave_last", "k": 0},
        {"protocol": "official", "name": "u6"},
        {"protocol": "kfold", "folds": 10, "fold": 10},
        {"protocol": "random", "validation": 0.6, "test": 0.4},
        {"protocol": "user_temporal", "validation": 0.5, "test": 0.5},
        {"protocol": "global_temporal", "validation": 0.9},
    ],
)
def test_values_out_of_range_are_refused(values):
    with pytest.raises(ValidationError):
        splits.validate_python(values)


def test_ml_100k_is_the_default():
    assert (DataConfig().name, DataConfig().path) == ("ml-100k", None)


def test_a_path_gives_the_data_their_name_unless_one_is_given(tmp_path):
    (tmp_path / "ml.v2").mkdir()
    assert DataConfig(path="books/ratings.csv").name == "ratings"
    assert DataConfig(path="books/mine.csv.gz").name == "mine"
    assert DataConfig.parse({"name": "ml-100k", "path": "ratings.csv"}).name == "ratings"
    assert DataConfig.parse({"name": "books", "path": "ratings.csv"}).name == "books"
    assert DataConfig.parse({"path": str(tmp_path / "ml.v2")}).name == "ml.v2"
    assert DataConfig.parse({"path": None}).name == "ml-100k"
