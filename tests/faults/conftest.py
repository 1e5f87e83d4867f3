"""Laboratories for faults, and the uninterrupted run that others are compared with."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.faults.laboratory import Laboratory, Result, start_fork_server

from movielens_recsys.data.synthetic import synthetic_ratings


@dataclass(frozen=True)
class Uninterrupted:
    """A run without a fault: its result, and its duration in ``seconds``."""

    result: Result
    seconds: float


@pytest.fixture(scope="session")
def quiet_laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    """The laboratory of the run without a fault; others share its ratings and their cache."""
    start_fork_server()
    folder = tmp_path_factory.mktemp("quiet")
    ratings = synthetic_ratings(100, 80, 4_000, seed=7).ratings
    columns = (ratings.users, ratings.items, ratings.ratings, ratings.timestamps)
    lines = [",".join(str(value) for value in row) for row in zip(*columns, strict=True)]
    (folder / "ratings.csv").write_text("\n".join(["user,item,rating,timestamp", *lines]) + "\n")
    return Laboratory(folder / "home", folder / "data", folder / "ratings.csv", folder / "terminal")


@pytest.fixture
def laboratory(quiet_laboratory: Laboratory, tmp_path: Path) -> Laboratory:
    """A laboratory whose home only this test uses."""
    return replace(quiet_laboratory, home=tmp_path / "home", terminal=tmp_path / "terminal")


@pytest.fixture(scope="session")
def uninterrupted(quiet_laboratory: Laboratory) -> Uninterrupted:
    """The second of two runs without a fault: caches exist by then, so its duration is typical."""
    seconds = 0.0
    for name in ("first", "calm"):
        run_id = quiet_laboratory.create(name)
        started = time.monotonic()
        assert quiet_laboratory.finish(run_id) == 0, quiet_laboratory.output()
        seconds = time.monotonic() - started
    return Uninterrupted(quiet_laboratory.result(run_id), seconds)
