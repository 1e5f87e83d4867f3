"""Finished experiments as a run would leave them, without the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.shared import make_once

from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import event_writer, store, transitions
from movielens_recsys.runs.run import Run
from movielens_recsys.settings import Settings
from movielens_recsys.tracking.mlflow import MLflowTracker

Finish = Callable[..., Run]


@pytest.fixture
def finish(settings: Settings) -> Finish:
    """Create a finished experiment with the given metrics; ``data`` and ``split`` stand for their hashes."""

    def make(
        name: str,
        metrics: dict[str, float] | None = None,
        *,
        template: str = "quickstart",
        modifications: dict[str, Any] | None = None,
        tags: tuple[str, ...] = (),
        epochs: int = 2,
        data: str = "d1",
        split: str = "s1",
        end: str = "completed",
    ) -> Run:
        config = config_from_template(template, name, modifications, tags=tags)
        run = store.create_run(config, settings)
        with event_writer.open_log(run.id, settings) as writer:
            transitions.start_run(run, writer, {"code": {}, "environment": {}, "seeds": {}})
            writer.append(
                "data",
                {
                    "data": {"name": "ml-100k", "hash": data * 32},
                    "split": {"protocol": "random", "name": "random 80/10/10", "hash": split * 32},
                },
            )
            for epoch in range(1, epochs + 1):
                writer.append("epoch", epoch_record(epoch))
            writer.append("fitted", {"best_epoch": epochs or None, "stopped_because": "", "seconds": 1.0})
            for part in ("validation", "test"):
                values = {
                    key: {"value": value, "low": value - 0.01, "high": value + 0.01}
                    for key, value in (metrics or {}).items()
                }
                event = {"part": part, "k": 10, "relevance_threshold": config.evaluation.relevance_threshold}
                writer.append("evaluated", {**event, "figures": values})
            writer.append(end, {"reason": "it broke", "final": True} if end == "failed" else {})
        return store.load_run(run.id, settings)

    return make


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tracking store without runs; MLflow takes seconds to make one."""
    folder = make_once(
        tmp_path_factory, "empty_store", lambda home: MLflowTracker(Settings(home=home)).prepare()
    )
    return Settings(home=folder).tracking_db


def carry_on(run_id: str, settings: Settings, epochs: range, end: str = "", **data: Any) -> None:
    """Log a start, or a resumption, then epochs and an end."""
    run = store.load_run(run_id, settings)
    with event_writer.open_log(run_id, settings) as writer:
        transitions.start_run(
            run, writer, {"code": {}, "environment": {}, "seeds": {}}, resume=run.state != "planned"
        )
        for epoch in epochs:
            writer.append("epoch", epoch_record(epoch))
        if end:
            writer.append(end, data)


def epoch_record(epoch: int) -> dict[str, Any]:
    """Return the JSON of an `EpochMetrics` that improves with every epoch."""
    rmse = 1.0 - epoch / 1000
    return {
        "epoch": epoch,
        "train_loss": rmse**2,
        "val_loss": rmse**2 + 0.001,
        "val_mse": rmse**2,
        "val_rmse": rmse,
        "val_kl": 0.1,
        "learning_rate": 0.001,
        "samples_per_s": 1e5,
        "improved": True,
    }


@pytest.fixture
def small_ratings(tmp_path: Path) -> Path:
    """A small rating file: 60 users, 40 items, ratings that follow user and item biases."""
    return write_small_ratings(tmp_path / "small.csv")


def write_small_ratings(path: Path) -> Path:
    """Write the ratings of `small_ratings`."""
    rng = np.random.default_rng(0)
    user_bias, item_bias = rng.normal(0, 0.6, 60), rng.normal(0, 0.6, 40)
    lines = ["user,item,rating,timestamp"]
    for user in range(60):
        for item in rng.choice(40, size=20, replace=False):
            rating = np.clip(round(3.5 + user_bias[user] + item_bias[item] + rng.normal(0, 0.5)), 1, 5)
            lines.append(f"{user + 1},{item + 1},{rating:.0f},{1_000_000_000 + len(lines)}")
    path.write_text("\n".join(lines) + "\n")
    return path
