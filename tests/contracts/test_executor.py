"""What every executor of ensemble members promises: one suite for all executors."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from movielens_recsys.ensembles.executors import Executor, LocalExecutor, RayExecutor
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings

RAY = pytest.param(
    RayExecutor,
    marks=[
        pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed"),
        pytest.mark.slow,
    ],
)
PATIENCE_S = 120.0


@pytest.fixture(params=[LocalExecutor, RAY])
def executor(request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Executor:
    """Each implementation in turn, for two members at a time."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    made: Executor = request.param(settings, 2)
    return made


def create_member(template: str, epochs: int, ratings: Path, settings: Settings) -> str:
    changes: dict[str, Any] = {
        "data": {"path": str(ratings)},
        "training": {"epochs": epochs, "batch_size": 32, "device": "cpu", "early_stopping": None},
        "evaluation": {"bootstrap_samples": 100},
    }
    return store.create_run(config_from_template(template, template, changes), settings).id


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_member_runs_to_its_end_and_returns_its_exit_code(
    executor: Executor, settings: Settings, small_ratings: Path
) -> None:
    member = create_member("user_item_bias", 1, small_ratings, settings)
    broken = create_member("global_mean", 1, small_ratings, settings)
    (settings.runs / broken / "config.json").write_text("{")
    assert executor.jobs >= 1
    with executor:
        handles = [executor.start(run_id) for run_id in (member, broken)]
        assert executor.exit_code(handles[0]) is None
        wait_until(lambda: all(executor.exit_code(handle) is not None for handle in handles))
        assert executor.exit_code(handles[0]) == 0
        assert executor.exit_code(handles[1]) not in {0, None}
    assert store.load_run(member, settings).state is RunState.COMPLETED


def test_a_stopped_member_is_saved(executor: Executor, settings: Settings, small_ratings: Path) -> None:
    member = create_member("quickstart", 5_000, small_ratings, settings)
    with executor:
        handle = executor.start(member)
        wait_until(lambda: len(store.load_run(member, settings).history) >= 1)
        executor.stop([handle])
        assert executor.exit_code(handle) != 0
    assert store.load_run(member, settings).state is RunState.STOPPED
