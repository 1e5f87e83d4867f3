"""A W&B of one's own, and runs that only wrote their log."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.tracking.wandb_server import Cloud, serving

from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings

KEY = "0123456789abcdef0123456789abcdef01234567"

Begin = Callable[..., str]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A running server that stands in for W&B's, with a key for it in the environment."""
    with serving() as state:
        monkeypatch.setenv("WANDB_BASE_URL", state.url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        for name in ("WANDB_MODE", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield state


@pytest.fixture
def online(cloud: Cloud, settings: Settings) -> Settings:
    """The test's settings, with the key in the environment."""
    return Settings(home=settings.home)


@pytest.fixture
def begin(settings: Settings, empty_store: Path) -> Begin:
    """Create an experiment that asks for W&B; its log a test writes."""

    def make(project: str | None = "films") -> str:
        settings.home.mkdir(exist_ok=True)
        shutil.copy(empty_store, settings.tracking_db)
        config = config_from_template("quickstart", "a", {"tracking": {"wandb_project": project}})
        return store.create_run(config, settings).id

    return make
