import errno
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from movielens_recsys.data.sources.user_datasets import register_dataset
from movielens_recsys.errors import (
    ConfigError,
    EvaluationError,
    ExperimentError,
    ModelError,
    RecsysError,
    SourceError,
    StorageError,
    UnstableTrainingError,
)
from movielens_recsys.experiments import execute as execution
from movielens_recsys.experiments.execute import execute
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.models.bundle import load_bundle
from movielens_recsys.runs import event_writer, store
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


def test_only_an_error_that_comes_again_fails_a_run(settings: Settings, small_ratings: Path) -> None:
    run_id = plan(settings, small_ratings)
    error = UnstableTrainingError("loss nan", next_step="lower training.learning_rate")
    session = TrainingSession(callbacks=[Interruption(error)])
    with pytest.raises(UnstableTrainingError):
        execute(run_id, settings, session)
    run = store.load_run(run_id, settings)
    assert (run.state, run.reason, run.final) == (RunState.FAILED, str(error), True)
    with pytest.raises(ExperimentError, match=r"never changes.*--force"):
        execute(run_id, settings, TrainingSession(resume=True))
    resumed = execute(run_id, settings, TrainingSession(resume=True), force=True).run
    assert (resumed.state, resumed.final) == (RunState.COMPLETED, False)


def test_a_model_that_its_configuration_keeps_from_these_data_fails(
    settings: Settings, small_ratings: Path
) -> None:
    # With more items than users, the equations have no one solution.
    rows = [f"{user},{item},{(user + item) % 5 + 1}" for user in range(3) for item in range(40)]
    small_ratings.write_text("\n".join(["user,item,rating", *rows]) + "\n")
    model = {"name": "ease", "regularization": 1e-30}
    run_id = plan(settings, small_ratings, "popularity", model=model)
    with pytest.raises(ModelError, match=r"model\.regularization"):
        execute(run_id, settings)
    run = store.load_run(run_id, settings)
    assert (run.state, run.final) == (RunState.FAILED, True)


def test_a_failure_that_an_earlier_version_recorded_is_resumed(
    settings: Settings, small_ratings: Path
) -> None:
    run_id = plan(settings, small_ratings)
    with pytest.raises(KeyboardInterrupt):
        execute(run_id, settings, TrainingSession(callbacks=[Interruption(KeyboardInterrupt())]))
    with event_writer.open_log(run_id, settings) as writer:
        writer.append("resumed", {"attempt": 2, "pid": 1, "code": {}, "environment": {}, "seeds": {}})
        writer.append("failed", {"reason": "nothing at ratings.csv"})
    resumed = execute(run_id, settings, TrainingSession(resume=True)).run
    assert (resumed.state, len(resumed.history)) == (RunState.COMPLETED, 2)


def assert_refused(
    run_id: str, settings: Settings, error: type[RecsysError], found: str, *, passing: bool
) -> None:
    """Start or resume a run that cannot go on, and compare its refusal."""
    resume = store.load_run(run_id, settings).attempts > 0
    with pytest.raises(error, match=found) as caught:
        execute(run_id, settings, TrainingSession(resume=resume))
    refused = store.load_run(run_id, settings).refused
    assert refused is not None
    assert (refused.reason, refused.passing) == (str(caught.value), passing)


def test_a_refused_attempt_leaves_the_run_as_it_was(settings: Settings, small_ratings: Path) -> None:
    run_id = plan(settings, small_ratings)
    away, log = small_ratings.with_name("away"), store.run_folder(run_id, settings) / "events.jsonl"
    small_ratings.rename(away)
    assert_refused(run_id, settings, SourceError, f"nothing at {small_ratings}", passing=True)
    assert store.load_run(run_id, settings).state is RunState.PLANNED
    away.rename(small_ratings)
    with pytest.raises(KeyboardInterrupt):
        execute(run_id, settings, TrainingSession(callbacks=[Interruption(KeyboardInterrupt())]))
    stopped, before = store.load_run(run_id, settings), log.read_bytes()
    assert stopped.refused is None

    content = small_ratings.read_text()
    small_ratings.write_text(content.replace(",3,", ",4,"))
    found = f"began with the data {stopped.data['hash'][:12]} of 1,200 ratings, and now finds"
    assert_refused(run_id, settings, ExperimentError, found, passing=False)
    small_ratings.rename(away)
    assert_refused(run_id, settings, SourceError, f"nothing at {small_ratings}", passing=True)
    assert log.read_bytes() == before
    assert store.load_run(run_id, settings).data == stopped.data

    small_ratings.write_text(content)
    resumed = execute(run_id, settings, TrainingSession(resume=True)).run
    assert (resumed.state, resumed.refused, resumed.attempts) == (RunState.COMPLETED, None, 2)


def test_data_that_are_away_are_missed_where_they_were(
    settings: Settings, small_ratings: Path, tmp_path: Path
) -> None:
    register_dataset(small_ratings, "mine", settings)
    config = config_from_template("popularity", "a", {"data": {"name": "mine"}})
    run_id = store.create_run(config, settings).id
    elsewhere = settings.model_copy(update={"data": tmp_path / "empty"})
    with pytest.raises(SourceError) as caught:
        execute(run_id, elsewhere)
    file = settings.data / "imports" / "mine" / "small.csv"
    for part in (str(elsewhere.data), f"from {file}", "set RECSYS_DATA", f"recsys experiment run {run_id}"):
        assert part in str(caught.value)
    assert execute(run_id, settings).run.location == str(file)


SMALL = {
    "quickstart": {},
    "bayesian_mf": {
        "model": {"sweeps": 4, "burn_in": 2, "n_factors": 3, "time_effects": False, "sessions": []}
    },
    "user_item_bias": {},
    "ease": {},
    "stars_and_lists": {
        "model": {
            "name": "stars_and_lists",
            "stars": {"name": "neural_cf", "n_factors": 4, "hidden_dims": [8]},
            "lists": {"name": "ials", "n_factors": 4, "sweeps": 2},
        },
        "training": {"epochs": 2},
    },
}


@pytest.mark.parametrize("template", SMALL)
def test_a_fault_in_the_evaluation_costs_no_training(
    template: str, settings: Settings, small_ratings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smooth = execute(plan(settings, small_ratings, template, **SMALL[template]), settings).run
    run_id = plan(settings, small_ratings, template, **SMALL[template])
    with monkeypatch.context() as broken:
        broken.setattr(execution, "evaluate_run", raise_evaluation_error)
        with pytest.raises(EvaluationError):
            execute(run_id, settings)
    stopped = store.load_run(run_id, settings)
    assert (stopped.state, stopped.fitted, stopped.reason) == (RunState.STOPPED, True, "no metric")
    shutil.rmtree(store.run_folder(run_id, settings) / "checkpoints", ignore_errors=True)

    monkeypatch.setattr(execution, "fit_with_recovery", None)  # nothing is trained again
    resumed = execute(run_id, settings, TrainingSession(resume=True)).run
    assert (resumed.state, resumed.metrics, resumed.history) == (
        RunState.COMPLETED,
        smooth.metrics,
        stopped.history,
    )
    bundle = load_bundle(store.run_folder(run_id, settings) / "bundle")
    assert bundle.metadata["figures"]["test_rmse"]["value"] == smooth.metrics["test_rmse"].value


def raise_evaluation_error(*_: object) -> None:
    raise EvaluationError("no metric")


def test_a_fitted_run_is_evaluated_otherwise_until_its_test_rows_are_used(
    settings: Settings, small_ratings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = plan(settings, small_ratings, "user_item_bias")
    with pytest.raises(ExperimentError, match=f"not complete.*recsys experiment run {run_id}"):
        execute(run_id, settings, TrainingSession(resume=True), evaluation={})
    with monkeypatch.context() as broken:
        broken.setattr(execution, "evaluate_run", raise_evaluation_error)
        with pytest.raises(EvaluationError):
            execute(run_id, settings)
    resume = TrainingSession(resume=True)
    with pytest.raises(ConfigError, match="relevance"):
        execute(run_id, settings, resume, evaluation={"relevance": 5.0})
    page = store.run_folder(run_id, settings) / "report.html"
    page.mkdir()  # the disk refuses the report, after the evaluation
    with pytest.raises(StorageError):
        execute(run_id, settings, resume, evaluation={"relevance_threshold": 5.0})
    evaluated = store.load_run(run_id, settings)
    assert (evaluated.state, evaluated.relevance_threshold) == (RunState.STOPPED, 5.0)
    with pytest.raises(ExperimentError, match=r"on the test rows once.*experiment evaluate"):
        execute(run_id, settings, resume, evaluation={"relevance_threshold": 4.0})
    page.rmdir()
    run = execute(run_id, settings, resume, evaluation={}).run
    assert (run.state, run.relevance_threshold, run.metrics) == (
        RunState.COMPLETED,
        5.0,
        evaluated.metrics,
    )
    assert store.load_evaluated_config(run, settings).evaluation.relevance_threshold == 5.0
    with pytest.raises(ExperimentError, match="on the test rows once"):
        execute(run_id, settings, resume, evaluation={})


def test_a_damaged_bundle_is_made_again_from_the_last_checkpoint(
    settings: Settings, small_ratings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smooth = execute(plan(settings, small_ratings), settings).run
    run_id = plan(settings, small_ratings)
    with monkeypatch.context() as broken:
        broken.setattr(execution, "evaluate_run", raise_evaluation_error)
        with pytest.raises(EvaluationError):
            execute(run_id, settings)
    (store.run_folder(run_id, settings) / "bundle" / "model.safetensors").write_bytes(b"damaged")
    warnings: list[str] = []
    resumed = execute(run_id, settings, TrainingSession(resume=True), warn=warnings.append).run
    assert (resumed.metrics, len(resumed.history)) == (smooth.metrics, 2)
    assert "is damaged; going on from the last checkpoint" in warnings[0]
