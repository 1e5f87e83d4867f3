"""The data of a run are compared with what it began with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits.split import make_split
from movielens_recsys.errors import ExperimentError, ReadError, SourceError
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.experiments.run_data import load_run_data, load_split, require_same_rows
from movielens_recsys.runs.run import Run
from movielens_recsys.settings import Settings


def test_the_same_rows_are_accepted_and_others_refused(settings: Settings, small_ratings: Path) -> None:
    config = config_from_template("popularity", "a", {"data": {"path": str(small_ratings)}})
    planned = Run("a_1")
    loaded = load_run_data(planned, config, settings)
    assert loaded.event["location"] == str(small_ratings)
    assert loaded.event["bias_val_rmse"] > 0
    begun = replace(planned, data=loaded.event["data"], split=loaded.event["split"], location="/disk/a.csv")
    require_same_rows(begun, load_split(config, settings))
    resplit = make_split(load_ratings(small_ratings, settings), config.split.model_copy(update={"seed": 1}))
    with pytest.raises(ExperimentError) as caught:
        require_same_rows(begun, resplit)
    was, now = begun.split["hash"][:12], resplit.hash[:12]
    assert f"the split {was} of 960 training rows, and now finds {now} of 960" in str(caught.value)
    assert "restore /disk/a.csv" in str(caught.value)
    assert "recsys experiment clone a_1 NEW_NAME" in str(caught.value)


def test_a_run_of_an_earlier_version_says_where_it_looked(settings: Settings) -> None:
    config = config_from_template("popularity", "a", {"data": {"name": "mine"}})
    with pytest.raises(
        SourceError, match=f"unknown data set 'mine' .looked under RECSYS_DATA, {settings.data}"
    ):
        load_run_data(Run("a_1"), config, settings)


def test_a_path_with_something_else_is_told_from_what_the_run_read(
    settings: Settings, small_ratings: Path
) -> None:
    config = config_from_template("popularity", "a", {"data": {"path": str(small_ratings)}})
    event = load_run_data(Run("a_1"), config, settings).event
    begun = Run("a_1", data=event["data"], split=event["split"], location=event["location"])
    small_ratings.write_text("no table\nat all\n")
    with pytest.raises(ReadError) as garbled:
        load_run_data(begun, config, settings)
    assert "which is not what experiment a_1 read" in str(garbled.value)
    small_ratings.unlink()
    small_ratings.mkdir()
    with pytest.raises(SourceError) as foreign:
        load_run_data(begun, config, settings)
    for error in (garbled, foreign):
        assert "bring the data back there, then `recsys experiment " in str(error.value)
        assert str(error.value).endswith("the run is as it was")
        assert "RECSYS_DATA" not in str(error.value)
