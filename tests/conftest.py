"""Fixtures of all tests: real data where available, a home for each test, and a local Discord server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.example_runs import empty_store, finish, small_ratings  # noqa: F401 (fixtures for all)
from tests.notify.discord_server import Discord, serve

from movielens_recsys.settings import Settings

pytest_plugins = ["tests.faults.table"]

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
    """Settings whose home and data folders only this test uses."""
    return Settings(home=tmp_path / "home", data=tmp_path / "data", data_path="")


@pytest.fixture(autouse=True, scope="session")
def _no_webhook() -> None:
    """Unset the developer's webhook, so that tests send nothing to it."""
    for name in ("DISCORD_WEBHOOK_URL", "DISCORD_WEBHOOK_FILE"):
        os.environ.pop(name, None)


@pytest.fixture
def discord(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Discord]:
    """A running server in place of discord.com, for this process and those that it starts."""
    authority = tmp_path_factory.mktemp("authority") / "ca.pem"
    with serve(authority) as (state, port):
        for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        yield state
