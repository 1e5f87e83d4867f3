"""Runs that reach their cap, again and again, on a clock that the test moves."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from movielens_recsys.errors import CapReachedError, ConfigError, ExperimentError, UsageError
from movielens_recsys.experiments.execute import execute
from movielens_recsys.experiments.overrides import config_from_clone, config_from_template
from movielens_recsys.runs import event_writer, export, store, transitions
from movielens_recsys.runs.comparison import compare_runs
from movielens_recsys.runs.cost import apply_cap, describe_cost
from movielens_recsys.runs.events import FILE_NAME
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.runtime import RuntimeMeter
from movielens_recsys.runs.search import Selection, parse_condition, select_runs
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings
from movielens_recsys.training.history import TrainingCallback
from movielens_recsys.training.session import TrainingSession

Finish = Callable[..., Run]
STEPS = 16


@pytest.fixture(autouse=True)
def tracking_store(settings: Settings, empty_store: Path) -> None:
    settings.home.mkdir()
    shutil.copy(empty_store, settings.tracking_db)


@pytest.fixture
def plan(settings: Settings, small_ratings: Path) -> Callable[..., str]:
    """Plan a run of two epochs of eight steps."""

    def make(template: str = "quickstart", **resources: float) -> str:
        tiny = {
            "model": {"n_factors": 4, "hidden_dims": [8], "latent_dim": 2},
            "training": {"epochs": 2, "batch_size": 128},
        }
        modifications = {
            **(tiny if template == "quickstart" else {}),
            "data": {"path": str(small_ratings)},
            "evaluation": {"bootstrap_samples": 100},
            "resources": resources,
        }
        return store.create_run(config_from_template(template, "a", modifications), settings).id

    return make


class HourlySteps(TrainingCallback):
    """A clock on which every optimiser step takes an hour, and nothing else takes time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def on_step(self, epoch: int, step: int, steps: int) -> None:
        self.now += 3600


def go(run_id: str, settings: Settings, *, resume: bool = False, **options: Any) -> Run:
    """Start or resume the run, a dollar a step."""
    clock = HourlySteps()
    session = TrainingSession(callbacks=[clock], resume=resume)
    return execute(run_id, settings, session, clock=clock, **options).run


def last_event(run_id: str, settings: Settings) -> dict[str, Any]:
    return dict(json.loads((settings.runs / run_id / FILE_NAME).read_text().splitlines()[-1]))


def test_a_run_stops_at_the_step_that_reaches_its_cap_and_ends_the_same(
    plan: Callable[..., str], settings: Settings
) -> None:
    free = go(plan(), settings)
    run_id = plan(price_usd_per_hour=1.0, cap_usd=2.5)
    with pytest.raises(CapReachedError, match=r"--cap-usd 3\.75$"):
        go(run_id, settings)
    stopped = last_event(run_id, settings)
    assert (stopped["kind"], stopped["data"]["cap_usd"], stopped["data"]["spent_usd"]) == ("stopped", 2.5, 3)
    # 8 and 16 are the last steps of their epochs.
    for cap, spent in ((3.5, 4), (7.0, 7), (8.0, 8), (15.1, 16)):
        with pytest.raises(CapReachedError, match=rf"has spent \${spent}\.00 of its cap of \${cap:.2f}"):
            go(run_id, settings, resume=True, cap_usd=cap)
        run = store.load_run(run_id, settings)
        assert (run.state, run.spent_usd, run.cap_usd) == (RunState.STOPPED, spent, cap)
    ended = go(run_id, settings, resume=True, cap_usd=17.0)
    assert (ended.state, ended.spent_usd, ended.attempts) == (RunState.COMPLETED, STEPS, 6)
    assert ended.metrics == free.metrics
    assert ended.config_hash == free.config_hash


def test_at_its_cap_a_run_is_refused_before_anything_is_touched(
    plan: Callable[..., str], settings: Settings
) -> None:
    run_id = plan(price_usd_per_hour=1.0, cap_usd=2.5)
    with pytest.raises(CapReachedError):
        go(run_id, settings)
    before = (settings.runs / run_id / FILE_NAME).read_bytes()
    with pytest.raises(CapReachedError, match=r"--cap-usd 3\.75"):
        go(run_id, settings, resume=True)
    for cap in (2.9, 3.0):
        with pytest.raises(UsageError, match=r"which has spent \$3\.00; expected more than that"):
            go(run_id, settings, resume=True, cap_usd=cap)
    for cap in (0.0, -1.0, float("nan"), float("inf"), 1e9):
        with pytest.raises(ConfigError, match="cap_usd"):
            go(run_id, settings, resume=True, cap_usd=cap)
    assert (settings.runs / run_id / FILE_NAME).read_bytes() == before


def test_loading_counts_and_reaches_a_cap_before_the_first_step(
    plan: Callable[..., str], settings: Settings
) -> None:
    run_id = plan(price_usd_per_hour=1_000_000.0, cap_usd=0.000_001)
    with pytest.raises(CapReachedError):
        execute(run_id, settings)
    run = store.load_run(run_id, settings)
    assert (run.state, run.history) == (RunState.STOPPED, ())
    assert not (settings.runs / run_id / "checkpoints").exists()


def test_a_model_in_closed_form_has_a_cap_too(plan: Callable[..., str], settings: Settings) -> None:
    run_id = plan("user_item_bias", price_usd_per_hour=1_000_000.0, cap_usd=0.000_001)
    with pytest.raises(CapReachedError):
        execute(run_id, settings)
    ended = execute(run_id, settings, TrainingSession(resume=True), cap_usd=1_000_000.0).run
    assert (ended.state, ended.usd_per_rmse_point) == (RunState.COMPLETED, None)
    assert ended.bias_val_rmse == pytest.approx(ended.metrics["val_rmse"].value, abs=1e-9)


def test_an_own_machine_has_no_cap(plan: Callable[..., str], settings: Settings) -> None:
    run_id = plan(cap_usd=0.01)
    with pytest.raises(ExperimentError, match="no cap applies"):
        execute(run_id, settings, cap_usd=5.0)
    run = go(run_id, settings)
    assert (run.seconds, run.spent_usd) == (STEPS * 3600, 0.0)
    assert describe_cost(run) == "$0 (own machine) for 16:00:00"


def test_setting_the_clock_changes_nothing(plan: Callable[..., str], settings: Settings) -> None:
    run_id = plan(price_usd_per_hour=1.0, cap_usd=2.5)
    with pytest.raises(CapReachedError):
        go(run_id, settings)
    log = settings.runs / run_id / FILE_NAME
    jumping = iter(("1970-01-01", "2199-12-31") * 10)
    log.write_text(re.sub(r'(?<="time":")[\d-]{10}', lambda match: next(jumping), log.read_text()))
    with pytest.raises(CapReachedError):
        go(run_id, settings, resume=True, cap_usd=4.5)
    assert store.load_run(run_id, settings).spent_usd == 5.0


def test_a_damaged_meter_is_warned_of_and_rebuilt(plan: Callable[..., str], settings: Settings) -> None:
    run_id = plan(price_usd_per_hour=1.0, cap_usd=2.5)
    with pytest.raises(CapReachedError):
        go(run_id, settings)
    (settings.runs / run_id / "meter.json").write_text("{")
    warnings: list[str] = []
    with pytest.raises(CapReachedError):
        go(run_id, settings, resume=True, cap_usd=4.5, warn=warnings.append)
    assert "10800.0 s spent so far" in warnings[0]
    assert store.load_run(run_id, settings).spent_usd == 5.0


def test_the_cost_of_a_killed_attempt_is_kept_when_it_is_archived(
    plan: Callable[..., str], settings: Settings
) -> None:
    run_id = plan(price_usd_per_hour=1.0)
    with event_writer.open_log(run_id, settings) as writer:
        transitions.start_run(store.load_run(run_id, settings), writer, {})
        with RuntimeMeter(settings.runs / run_id, 7200.0, clock=lambda: 0.0):
            pass
    assert store.load_run(run_id, settings).spent_usd == 2.0
    assert transitions.archive_run(run_id, settings).spent_usd == 2.0
    assert store.load_run(run_id, settings).spent_usd == 2.0


def test_starting_over_is_refused_at_the_cap_too(plan: Callable[..., str], settings: Settings) -> None:
    run_id = plan(price_usd_per_hour=1.0, cap_usd=2.0)
    with event_writer.open_log(run_id, settings) as writer:
        transitions.start_run(store.load_run(run_id, settings), writer, {})
        with RuntimeMeter(settings.runs / run_id, 7200.0, clock=lambda: 0.0):
            pass
    with pytest.raises(CapReachedError, match=r"experiment resume \S+ --cap-usd 3$"):
        go(run_id, settings)


@pytest.mark.parametrize(
    "resources",
    [
        {"price_usd_per_hour": -0.1},
        {"price_usd_per_hour": float("nan")},
        {"price_usd_per_hour": "1"},
        {"price_usd_per_hour": 1e7},
        {"cap_usd": 0},
        {"cap_usd": -1},
        {"cap_usd": None},
        {"price": 1},
    ],
)
def test_an_invalid_price_or_cap_is_refused(resources: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="resources"):
        config_from_template("quickstart", "a", {"resources": resources})


def test_a_clone_has_the_price_and_the_planned_cap(plan: Callable[..., str], settings: Settings) -> None:
    original = store.load_config(plan(price_usd_per_hour=0.79, cap_usd=5.0), settings)
    copy = config_from_clone(original, "b")
    assert copy.resources == original.resources
    run = store.create_run(copy, settings)
    assert (run.price_usd_per_hour, run.cap_usd) == (0.79, 5.0)


@pytest.fixture
def priced(finish: Finish, settings: Settings) -> list[Run]:
    """A good run and a bad one at $36 an hour, and one at home; the bias has 0.95 on all of them."""
    resources = {"resources": {"price_usd_per_hour": 36.0}}
    finished = [
        finish("good", {"rmse": 0.90}, modifications=resources),
        finish("bad", {"rmse": 0.96}, modifications=resources),
        finish("home", {"rmse": 0.93}),
    ]
    return [replace(run, bias_val_rmse=0.95, seconds=100.0) for run in finished]


def test_a_point_is_a_hundredth_of_a_star_below_the_bias(priced: list[Run]) -> None:
    good, bad, home = priced
    assert (good.spent_usd, good.usd_per_rmse_point) == (1.0, pytest.approx(0.2))
    assert (bad.spent_usd, bad.usd_per_rmse_point) == (1.0, None)
    assert (home.spent_usd, home.usd_per_rmse_point) == (0.0, 0.0)
    assert describe_cost(good) == (
        "$1.00 for 0:01:40 at $36.00 an hour, cap $20.00; "
        "$0.20 for each 0.01 of RMSE below user+item bias (val_rmse 0.9500)"
    )
    assert describe_cost(bad).endswith("cap $20.00; not below user+item bias (val_rmse 0.9500)")


def test_costs_are_sorted_searched_compared_and_exported(priced: list[Run], settings: Settings) -> None:
    def names(runs: list[Run]) -> list[str]:
        return [run.name for run in runs]

    assert names(select_runs(priced, Selection(), sort="usd_per_rmse_point")) == ["home", "good", "bad"]
    assert names(select_runs(priced, Selection(conditions=[parse_condition("spent_usd<1")]))) == ["home"]
    configs = [store.load_config(run.id, settings) for run in priced]
    costs = compare_runs(priced, configs)["costs"]
    assert costs == {"spent_usd": [1.0, 1.0, 0.0], "usd_per_rmse_point": [pytest.approx(0.2), None, 0.0]}
    pairs = list(zip(priced, configs, strict=True))
    rows = list(csv.DictReader(export.as_csv(pairs).splitlines()))
    assert [(row["spent_usd"], row["price_usd_per_hour"], row["cap_usd"]) for row in rows] == [
        ("1.0", "36.0", "20.0"),
        ("1.0", "36.0", "20.0"),
        ("0.0", "0.0", "20.0"),
    ]
    assert json.loads(export.as_json(pairs))[0]["usd_per_rmse_point"] == pytest.approx(0.2)


def test_the_suggested_next_cap_is_accepted() -> None:
    run = Run("a", seconds=3600.0 * 7_000, price_usd_per_hour=1.0, cap_usd=20.0)
    with pytest.raises(CapReachedError) as caught:
        apply_cap(run, None)
    apply_cap(run, float(str(caught.value).rpartition("--cap-usd ")[2]))
