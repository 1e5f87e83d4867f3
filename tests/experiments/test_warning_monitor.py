"""Warnings of a run that trains: logged once, said once, and not again after a resumption."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from movielens_recsys.experiments.execute import execute
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.experiments.warning_monitor import WarningMonitor
from movielens_recsys.runs import event_writer, store, transitions
from movielens_recsys.runs.events import read_events
from movielens_recsys.runs.run import Run
from movielens_recsys.settings import Settings
from movielens_recsys.training.early_warnings import WarningThresholds
from movielens_recsys.training.history import EpochMetrics, TrainingCallback
from movielens_recsys.training.session import TrainingSession

NERVOUS = {"gradient_norm": 1e-6, "collapsed_kl": 100, "collapse_epochs": 3}
TINY = {
    "model": {"n_factors": 4, "hidden_dims": [8], "latent_dim": 2},
    "training": {"epochs": 4, "batch_size": 128},
    "evaluation": {"bootstrap_samples": 100},
    "early_warnings": NERVOUS,
}


@pytest.fixture
def run_id(settings: Settings, small_ratings: Path) -> str:
    config = config_from_template("quickstart", "a", {**TINY, "data": {"path": str(small_ratings)}})
    return store.create_run(config, settings).id


def warnings_of(run: Run) -> list[tuple[str, int]]:
    return [(finding["name"], finding["epoch"]) for finding in run.findings]


def test_each_warning_is_reported_once_and_logged(run_id: str, settings: Settings) -> None:
    said: list[str] = []
    outcome = execute(run_id, settings, warn=said.append)
    assert warnings_of(outcome.run) == [("gradient_norm", 1), ("posterior_collapse", 3)]
    assert [line.partition(":")[0] for line in said] == ["epoch 1", "epoch 3"]
    kinds = [event.kind for event in read_events(outcome.folder / "events.jsonl")]
    assert kinds.count("finding") == 2
    page = (outcome.folder / "report.html").read_text()
    assert "Warnings" in page
    assert "posterior_collapse" in page


def test_a_resumed_run_remembers_its_warnings_and_its_history(run_id: str, settings: Settings) -> None:
    class Stop(TrainingCallback):
        epochs = 0

        def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
            self.epochs += 1
            if self.epochs == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(run_id, settings, TrainingSession(callbacks=[Stop()]))
    said: list[str] = []
    run = execute(run_id, settings, TrainingSession(resume=True), warn=said.append).run
    assert warnings_of(run) == [("gradient_norm", 1), ("posterior_collapse", 3)]
    assert len(said) == 1


def test_a_run_that_starts_over_warns_again_and_keeps_preflight_findings(
    settings: Settings, epoch_values: dict[str, Any]
) -> None:
    created = store.create_run(
        config_from_template("quickstart", "a"), settings, [{"name": "capacity", "accepted": True}]
    )
    thresholds = WarningThresholds(gradient_norm=0.1)
    for _ in range(2):
        with event_writer.open_log(created.id, settings) as writer:
            transitions.start_run(created, writer, {})
            watch = WarningMonitor(writer, thresholds, lambda line: None)
            watch.on_epoch(EpochMetrics.from_json({**epoch_values, "gradient_norm": 0.3}), improved=True)
    run = store.load_run(created.id, settings)
    assert [finding["name"] for finding in run.findings] == ["capacity", "gradient_norm"]


def test_memory_and_checkpoint_age_are_checked_within_an_epoch(settings: Settings) -> None:
    created = store.create_run(config_from_template("quickstart", "a"), settings)
    thresholds = WarningThresholds(checkpoint_age_s=0.05)
    said: list[str] = []
    with event_writer.open_log(created.id, settings) as writer:
        watch = WarningMonitor(writer, thresholds, said.append, memory_share=lambda: 0.95)
        watch.on_step(3, 1, 100)
        assert [line.partition(" 0.95")[0] for line in said] == ["epoch 3: memory"]
        watch = WarningMonitor(writer, thresholds, said.append, memory_share=lambda: 0.95)
        time.sleep(0.06)
        watch.on_step(3, 2, 100)
        assert said[1].startswith("epoch 3: checkpoint_age")
        watch = WarningMonitor(writer, WarningThresholds(checkpoint_age_s=60), said.append)
        watch.on_step(4, 1, 100)
    assert [finding["name"] for finding in store.load_run(created.id, settings).findings] == [
        "memory",
        "checkpoint_age",
    ]


def test_thresholds_do_not_change_the_configuration_hash() -> None:
    plain, nervous = (
        config_from_template("quickstart", "a"),
        config_from_template("quickstart", "a", {"early_warnings": NERVOUS}),
    )
    assert store.config_hash(plain) == store.config_hash(nervous)


@pytest.fixture
def epoch_values() -> dict[str, Any]:
    names = ("train_loss", "val_loss", "val_mse", "val_rmse", "val_kl", "learning_rate", "samples_per_s")
    return {"epoch": 1, **dict.fromkeys(names, 1.0)}
