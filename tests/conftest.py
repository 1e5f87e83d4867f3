"""What every test shares: real data where it can be had, and homes that no test leaves behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from movielens_recsys.settings import Settings

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data_folder() -> Path:
    """A folder with real MovieLens data sets, from RECSYS_DATA_PATH or beside the checkout."""
    candidates = [Path(part) for part in os.environ.get("RECSYS_DATA_PATH", "").split(os.pathsep) if part]
    candidates.append(REPOSITORY.parent / "shared" / "data")
    for folder in candidates:
        if (folder / "ml-100k" / "u.data").is_file():
            return folder
    pytest.skip("no real MovieLens data: set RECSYS_DATA_PATH to a folder that holds ml-100k/")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose home and data folders are the test's own."""
    return Settings(home=tmp_path / "home", data=tmp_path / "data", data_path="")
