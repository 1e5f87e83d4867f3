import errno
import json
from pathlib import Path
from typing import Any

import pytest

from movielens_recsys.errors import ExperimentError, RecsysError
from movielens_recsys.experiments.execute import execute
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.models.bundle import load_bundle
from movielens_recsys.runs import store
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings
from movielens_recsys.training.history import EpochMetrics, TrainingCallback
from movielens_recsys.training.session import TrainingSession

TINY = {
    "model": {"n_factors": 4, "hidden_dims": [8], "latent_dim": 2},
    "training": {"epochs": 2, "batch_size": 128},
    "evaluation": {"bootstrap_samples": 100},
    "targets": {"rmse": 0.55, "ndcg_at_10": 0.01},
}


def plan(settings: Settings, ratings: Path, template: str = "quickstart", **changes: Any) -> str:
    modifications = {**(TINY if template == "quickstart" else {}), "data": {"path": str(ratings)}, **changes}
    return store.create_run(config_from_template(template, "a", modifications), settings).id


def test_settings_that_need_timestamps_are_warned_of_without_them(
    settings: Settings, small_ratings: Path
) -> None:
    timeless = small_ratings.with_name("timeless.csv")
    rows = (line.rpartition(",")[0] for line in small_ratings.read_text().splitlines())
    timeless.write_text("\n".join(rows) + "\n")
    sampled = {"model": {"sweeps": 4, "burn_in": 2, "n_factors": 3, "time_effects": False}}
    warnings: list[str] = []
    for ratings in (small_ratings, timeless):
        execute(plan(settings, ratings, "bayesian_mf", **sampled), settings, warn=warnings.append)
    assert warnings == ["the ratings have no timestamps: sessions of the model have no effect"]


class Interruption(TrainingCallback):
    """Raises in place of whatever a person or a bug does after the first epoch."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
        raise self.error


def test_a_run_records_every_step_and_its_artifacts(settings: Settings, small_ratings: Path) -> None:
    run_id = plan(settings, small_ratings)
    warnings: list[str] = []
    outcome = execute(run_id, settings, warn=warnings.append)
    assert warnings == []
    run = store.load_run(run_id, settings)
    assert outcome.run == run
    assert (run.state, len(run.history), run.attempts) == (RunState.COMPLETED, 2, 1)
    assert run.metrics["val_rmse"].value == pytest.approx(
        run.history[run.best_epoch - 1]["val_rmse"], abs=1e-5
    )
    assert run.metrics["val_loss"].value != run.metrics["val_rmse"].value
    assert run.metrics["test_rmse"].low < run.metrics["test_rmse"].value < run.metrics["test_rmse"].high
    assert run.data["hash"] == outcome.split.ratings.content_hash
    assert (run.split["train"], run.split["validation"], run.split["test"]) == (960, 120, 120)
    assert run.provenance["seeds"] == {"training": 0, "evaluation": 0, "split": 0}
    assert run.provenance["environment"]["libraries"]["torch"]
    assert [(row["metric"], row["met"]) for row in run.target_checks] == [
        ("rmse", False),
        ("ndcg_at_10", True),
        ("ndcg_at_10", True),
    ]
    folder = store.run_folder(run_id, settings)
    assert set(json.loads((folder / "report.json").read_text())) == {"validation", "test"}
    bundle = load_bundle(folder / "bundle")
    assert bundle.metadata["run"] == run_id
    assert bundle.metadata["data_hash"] == run.data["hash"]
    assert (folder / "checkpoints" / "best.ckpt").is_file()
    assert (folder / "per_user_test.npz").is_file()
    page = (folder / "report.html").read_text()
    assert run_id in page
    assert f"{run.metrics['test_rmse'].value:.4f}" in page
    with pytest.raises(ExperimentError, match="never changes"):
        execute(run_id, settings)
    assert store.load_run(run_id, settings) == run


def test_the_same_configuration_gives_the_same_metrics(settings: Settings, small_ratings: Path) -> None:
    first, second = (execute(plan(settings, small_ratings), settings).run for _ in range(2))
    assert first.id != second.id
    assert first.config_hash == second.config_hash
    assert first.metrics == second.metrics


def test_a_model_without_epochs_runs_the_same_way(settings: Settings, small_ratings: Path) -> None:
    run = execute(plan(settings, small_ratings, "user_item_bias"), settings).run
    assert (run.state, run.history, run.best_epoch) == (RunState.COMPLETED, (), None)
    assert "test_rmse" in run.metrics
    assert "val_loss" not in run.metrics


def test_a_split_without_validation_is_evaluated_on_test_alone(
    settings: Settings, small_ratings: Path
) -> None:
    split = {"protocol": "random", "validation": 0.0}
    outcome = execute(plan(settings, small_ratings, "popularity", split=split), settings)
    assert set(outcome.reports) == {"test"}
    assert "val_rmse" not in outcome.run.metrics


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyboardInterrupt(), "interrupted"),
        (OSError(errno.ENOSPC, "No space left on device"), "OSError: [Errno 28] No space left on device"),
    ],
)
def test_a_temporary_error_stops_a_run_that_can_then_be_resumed(
    error: BaseException, reason: str, settings: Settings, small_ratings: Path
) -> None:
    run_id = plan(settings, small_ratings)
    with pytest.raises(type(error)):
        execute(run_id, settings, TrainingSession(callbacks=[Interruption(error)]))
    run = store.load_run(run_id, settings)
    assert (run.state, run.reason, len(run.history)) == (RunState.STOPPED, reason, 1)
    with pytest.raises(ExperimentError, match="experiment resume"):
        execute(run_id, settings)
    resumed = execute(run_id, settings, TrainingSession(resume=True)).run
    assert (resumed.state, resumed.reason, resumed.attempts) == (RunState.COMPLETED, "", 2)


def test_an_error_of_the_experiment_fails_it(settings: Settings, small_ratings: Path) -> None:
    run_id = plan(settings, small_ratings)
    with pytest.raises(RuntimeError):
        execute(run_id, settings, TrainingSession(callbacks=[Interruption(RuntimeError("broke\nin two"))]))
    run = store.load_run(run_id, settings)
    expected = (RunState.FAILED, "RuntimeError: broke in two", 1)
    assert (run.state, run.reason, len(run.history)) == expected
    with pytest.raises(ExperimentError, match="failed, and a finished experiment never changes"):
        execute(run_id, settings)


def test_missing_data_fail_the_run_with_their_error(settings: Settings, tmp_path: Path) -> None:
    run_id = plan(settings, tmp_path / "missing.csv", "popularity")
    with pytest.raises(RecsysError) as caught:
        execute(run_id, settings)
    assert store.load_run(run_id, settings).reason == str(caught.value)
