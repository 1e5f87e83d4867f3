"""An experiment that lasts long enough to be interrupted, and the environment of its processes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from movielens_recsys.data.synthetic import synthetic_ratings

EPOCHS = 40


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
def environment(tmp_path: Path) -> dict[str, str]:
    homes = {"RECSYS_HOME": str(tmp_path / "home"), "RECSYS_DATA": str(tmp_path / "data")}
    return {**os.environ, **homes, "OMP_NUM_THREADS": "1"}
