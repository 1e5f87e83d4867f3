"""A local W&B server, and runs that consist of an event log alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.tracking.wandb_server import WandbServer, serving

from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings

KEY = "0123456789abcdef0123456789abcdef01234567"

CreateRun = Callable[..., str]


@pytest.fixture
def wandb_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WandbServer]:
    """A running server that stands in for W&B's, with a key for it in the environment."""
    with serving() as state:
        monkeypatch.setenv("WANDB_BASE_URL", state.url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        for name in ("WANDB_MODE", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield state


@pytest.fixture
def online(wandb_server: WandbServer, settings: Settings) -> Settings:
    """The test's settings, with the key in the environment."""
    return Settings(home=settings.home)


@pytest.fixture
def create_run(settings: Settings, empty_store: Path) -> CreateRun:
    """Create an experiment with a W&B project, and return its id; the test writes its log."""

    def create(project: str | None = "films") -> str:
        settings.home.mkdir(exist_ok=True)
        shutil.copy(empty_store, settings.tracking_db)
        config = config_from_template("quickstart", "a", {"tracking": {"wandb_project": project}})
        return store.create_run(config, settings).id

    return create
