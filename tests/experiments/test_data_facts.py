"""What is known of data before a run: from its rows if they are here, else from the catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.example_runs import write_small_ratings

from movielens_recsys.data.datasets import DATASETS
from movielens_recsys.data.sources.user_datasets import register_dataset
from movielens_recsys.errors import DataError, SplitError, UnknownNameError
from movielens_recsys.experiments import data_facts
from movielens_recsys.experiments.data_facts import known_facts
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.settings import Settings


def config_of(data: dict[str, str], **more: object) -> ExperimentConfig:
    return config_from_template("user_item_bias", "a", {"data": data, **more})


def test_the_rows_of_a_file_or_an_import_say_all(settings: Settings, tmp_path: Path) -> None:
    file = write_small_ratings(tmp_path / "small.csv")
    register_dataset(file, "small", settings)
    for data in ({"path": str(file)}, {"name": "small"}):
        facts = known_facts(config_of(data), settings)
        assert facts is not None
        assert facts.split is not None
        assert facts.n_ratings == len(facts.split.ratings)
        assert len(facts.split.test)


def test_an_official_data_set_that_is_not_here_is_known_from_the_catalogue(settings: Settings) -> None:
    facts = known_facts(config_of({"name": "ml-1m"}), settings)
    assert facts is not None
    assert facts.split is None
    assert (facts.name, facts.n_items, facts.scale) == ("ml-1m", 3_706, DATASETS["ml-1m"].scale)


def test_nothing_is_known_of_a_path_that_is_not_here_and_of_a_file_too_large_to_read_at_creation(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert known_facts(config_of({"path": str(tmp_path / "away.csv")}), settings) is None
    file = write_small_ratings(tmp_path / "small.csv")
    monkeypatch.setattr(data_facts, "QUICK_BYTES", file.stat().st_size - 1)
    assert known_facts(config_of({"path": str(file)}), settings) is None


def test_unknown_names_and_data_that_cannot_be_read_or_split_are_refused(
    settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'ml-100k'"):
        known_facts(config_of({"name": "ml-100"}), settings)
    broken = tmp_path / "broken.csv"
    broken.write_text("user,item,rating\n1,2,many\n")
    with pytest.raises(DataError):
        known_facts(config_of({"path": str(broken)}), settings)
    file = write_small_ratings(tmp_path / "small.csv")
    with pytest.raises(SplitError, match=r"leaves the test part .* empty"):
        known_facts(config_of({"path": str(file)}, split={"protocol": "leave_last", "k": 900}), settings)
