"""Recovery: remedies suggested and taken, how often, and that no metric changes its meaning."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from movielens_recsys.cli.main import app
from movielens_recsys.errors import UnstableTrainingError
from movielens_recsys.experiments.execute import execute
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store
from movielens_recsys.runs.run import Run
from movielens_recsys.settings import Settings
from movielens_recsys.training.history import EpochMetrics, TrainingCallback
from movielens_recsys.training.session import TrainingSession

VAE = {"n_factors": 4, "hidden_dims": [8], "latent_dim": 3}
WILD = {
    "learning_rate": 0.3,
    "batch_size": 64,
    "gradient_clip_norm": None,
    "kl_weight": 100.0,
    "loss_spike": 2.0,
}


@pytest.fixture
def run(settings: Settings, small_ratings: Path) -> Any:
    """Plan a run, execute it and return what is left of it, whether it failed or not."""

    def run(
        mode: str,
        training: dict[str, Any],
        warnings: dict[str, Any],
        *,
        callbacks: Sequence[TrainingCallback] = (),
        warn: Callable[[str], None] = lambda message: None,
    ) -> Run:
        changes = {
            "data": {"path": str(small_ratings)},
            "model": VAE,
            "training": {"epochs": 6, "batch_size": 2048, "early_stopping": None, **training},
            "early_warnings": warnings,
            "contingencies": mode,
        }
        planned = store.create_run(config_from_template("quickstart", "trial", changes), settings)
        try:
            return execute(planned.id, settings, TrainingSession(callbacks=callbacks), warn=warn).run
        except UnstableTrainingError:
            return store.load_run(planned.id, settings)

    return run


def taken(run: Run) -> list[tuple[str, str, dict[str, Any]]]:
    return [(row["cause"], row["mode"], row["changes"]) for row in run.contingencies]


def test_after_instability_training_resumes_with_a_lower_kl_weight(run: Any) -> None:
    finished = run("auto", WILD, {})
    assert finished.state == "completed"
    assert taken(finished)[0] == ("instability", "auto", {"kl_weight": {"old": 100.0, "new": 0.005}})
    assert [record["epoch"] for record in finished.history] == [1, 2, 3, 4, 5, 6]
    assert finished.history[-1]["kl_weight"] == 0.005, "what is minimised"
    for record in finished.history:
        expected = record["val_mse"] + 100.0 * record["val_kl"]
        assert record["val_loss"] == pytest.approx(expected), "what is measured"


def test_a_cause_is_responded_to_at_most_three_times(run: Any) -> None:
    hopeless = {"learning_rate": 10.0, "loss_spike": 1.0 + 1e-9}
    finished = run("auto", hopeless, {})
    assert finished.state == "failed"
    assert [row["tried"] for row in finished.contingencies] == [1, 2, 3]
    changes = [row["changes"] for row in finished.contingencies]
    assert changes == [
        {"kl_weight": {"old": 0.01, "new": 0.005}},
        {"learning_rate": {"old": 10.0, "new": 5.0}},
        {"learning_rate": {"old": 5.0, "new": 2.5}},
    ]


def test_suggestions_change_nothing_and_are_commands_that_run(run: Any, settings: Settings) -> None:
    warnings = {"plateau_epochs": 1, "plateau_improvement": 100.0}
    said: list[str] = []
    finished = run("suggest", {}, warnings, warn=said.append)
    assert finished.state == "completed"
    (suggestion,) = finished.contingencies
    assert (suggestion["cause"], suggestion["mode"], suggestion["changes"]) == (
        "validation_plateau",
        "suggest",
        {},
    )
    assert any("validation_plateau: commands to try" in line for line in said)
    assert {record["kl_weight"] for record in finished.history} == {0.01}
    for command in suggestion["commands"]:
        words = shlex.split(command)
        assert words[0] == "recsys"
        words += ["--dry-run"] * (words[1] == "ensemble")
        result = CliRunner().invoke(app, words[1:], env={"RECSYS_HOME": str(settings.home)})
        assert result.exit_code == 0, (command, result.output)
    configs = [store.load_config(name, settings) for name in store.run_ids(settings)]
    assert {config.training.batch_size for config in configs} == {2048, 1536}
    assert any("--seeds 42,123,456" in command for command in suggestion["commands"])
    assert max(config.model.n_factors for config in configs) == 5


def test_off_reports_and_changes_nothing(run: Any) -> None:
    assert run("off", {}, {"plateau_epochs": 1, "plateau_improvement": 100.0}).contingencies == ()
    failed = run("off", WILD, {})
    assert (failed.state, failed.contingencies) == ("failed", ())


def test_the_last_remedies_of_a_plateau_are_commands(run: Any) -> None:
    finished = run("auto", {"epochs": 14}, {"plateau_epochs": 1, "plateau_improvement": 100.0})
    assert finished.state == "completed"
    assert taken(finished) == [
        ("validation_plateau", "auto", {"batch_size": {"old": 2048, "new": 1536}}),
        ("validation_plateau", "auto", {"kl_weight": {"old": 0.01, "new": 0.005}}),
        ("validation_plateau", "suggest", {}),
    ]
    assert "ensemble" in finished.contingencies[-1]["action"]
    epochs = [row["epoch"] for row in finished.contingencies]
    assert epochs[1] - epochs[0] == epochs[2] - epochs[1] == 5, "each has time to show"


def test_poor_convergence_gets_more_warm_up(run: Any) -> None:
    finished = run("auto", {"epochs": 9}, {"convergence_improvement": 0.99})
    schedules = [row["changes"]["learning_rate_schedule"]["new"] for row in finished.contingencies]
    assert schedules == [{"warmup_epochs": 8.0}, {"warmup_epochs": 13.0}]
    rates = [record["learning_rate"] for record in finished.history]
    assert rates[2] == 0.001
    assert rates[3] == pytest.approx(0.001 * 4 / 8)


def test_a_remedy_is_kept_by_a_resumed_run(run: Any, settings: Settings, small_ratings: Path) -> None:
    class Interrupt(TrainingCallback):
        def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
            if record.epoch == 4:
                raise KeyboardInterrupt

    warnings = {"plateau_epochs": 1, "plateau_improvement": 100.0}
    with pytest.raises(KeyboardInterrupt):
        run("auto", {}, warnings, callbacks=[Interrupt()])
    (run_id,) = store.run_ids(settings)
    stopped = store.load_run(run_id, settings)
    assert stopped.contingencies[0]["changes"] == {"batch_size": {"old": 2048, "new": 1536}}
    finished = execute(run_id, settings, TrainingSession(resume=True)).run
    assert finished.contingencies == stopped.contingencies
    assert len(finished.history) == 6


def test_a_response_after_a_resumption_has_the_epoch_that_was_finished(run: Any, settings: Settings) -> None:
    class Trouble(TrainingCallback):
        def __init__(self, error: BaseException, epoch: int) -> None:
            self.error, self.epoch = error, epoch

        def on_step(self, epoch: int, step: int, steps: int) -> None:
            if epoch == self.epoch:
                raise self.error

    with pytest.raises(KeyboardInterrupt):
        run("auto", {}, {}, callbacks=[Trouble(KeyboardInterrupt(), 4)])
    (run_id,) = store.run_ids(settings)
    again = TrainingSession(resume=True, callbacks=[Trouble(UnstableTrainingError("loss nan"), 4)])
    with pytest.raises(UnstableTrainingError):
        execute(run_id, settings, again)
    assert [row["epoch"] for row in store.load_run(run_id, settings).contingencies] == [3, 3, 3]
