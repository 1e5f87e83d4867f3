"""An experiment that lasts long enough to be interrupted, the environment of its processes, and a log."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from tests.notify.conftest import CONFIG, Log

from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.settings import Settings

EPOCHS = 20
RUN = "demo_20261123_120000"


@pytest.fixture
def modifications(tmp_path: Path) -> str:
    """A quickstart on 4,000 generated ratings, long enough to be interrupted."""
    ratings = synthetic_ratings(100, 80, 4_000, seed=7).ratings
    lines = ["user,item,rating,timestamp"]
    columns = (ratings.users, ratings.items, ratings.ratings, ratings.timestamps)
    lines += [",".join(str(value) for value in row) for row in zip(*columns, strict=True)]
    (tmp_path / "ratings.csv").write_text("\n".join(lines) + "\n")
    training = {"epochs": EPOCHS, "batch_size": 32, "early_stopping": None}
    return json.dumps({"data": {"name": "mine", "path": str(tmp_path / "ratings.csv")}, "training": training})


@pytest.fixture
def with_store(empty_store: Path, tmp_path: Path) -> None:
    """A tracking store in the home, so that no run has to make one, which takes seconds."""
    (tmp_path / "home").mkdir(exist_ok=True)
    shutil.copy(empty_store, Settings(home=tmp_path / "home").tracking_db)


@pytest.fixture
def environment(tmp_path: Path, with_store: None) -> dict[str, str]:
    """The environment of commands that run in processes of their own."""
    homes = {"RECSYS_HOME": str(tmp_path / "home"), "RECSYS_DATA": str(tmp_path / "data")}
    return {**os.environ, **homes, "OMP_NUM_THREADS": "1"}


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands in this process use a home and data folders of the test."""
    monkeypatch.setenv("RECSYS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RECSYS_DATA", str(tmp_path / "data"))


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """A run in the home with one epoch."""
    made = Log(tmp_path / "home" / "runs" / RUN, CONFIG)
    made.start()
    made.epoch(1)
    return made
