from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from movielens_recsys.errors import UnknownNameError, UsageError
from movielens_recsys.runs import search
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.search import Selection, parse_condition, parse_timestamp, select_runs
from movielens_recsys.runs.transitions import archive_run
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings

Finish = Callable[..., Run]


def names(runs: list[Run] | tuple[Run, ...]) -> list[str]:
    return [run.name for run in runs]


def test_experiments_are_selected_by_every_criterion(finish: Finish, settings: Settings) -> None:
    good = finish("good", {"rmse": 0.90}, tags=("baseline",))
    bad = finish("bad", {"rmse": 0.99}, end="failed")
    old = archive_run(finish("old", {"rmse": 0.91}, template="popularity", epochs=0).id, settings)
    runs = [good, bad, old]
    assert names(select_runs(runs, Selection())) == ["good", "bad"]
    assert names(select_runs(runs, Selection(archived=True))) == ["good", "bad", "old"]
    assert names(select_runs(runs, Selection([RunState.ARCHIVED]))) == ["old"]
    assert names(select_runs(runs, Selection([RunState.COMPLETED, RunState.FAILED]))) == ["good", "bad"]
    assert names(select_runs(runs, Selection(tags=["baseline"]))) == ["good"]
    assert names(select_runs(runs, Selection(tags=["baseline", "other"]))) == []
    assert names(select_runs(runs, Selection(template="popularity", archived=True))) == ["old"]
    assert names(select_runs(runs, Selection(name="OO"))) == ["good"]
    assert names(select_runs(runs, Selection(conditions=[parse_condition("val_rmse<0.95")]))) == ["good"]
    assert names(select_runs(runs, Selection(conditions=[parse_condition("val_rmse >= 0.95")]))) == ["bad"]
    assert names(select_runs(runs, Selection(since=datetime.now(UTC)))) == []
    assert names(select_runs(runs, Selection(until=datetime.now(UTC)))) == ["good", "bad"]
    assert names(select_runs(runs, Selection(archived=True), sort="test_rmse")) == ["good", "old", "bad"]


def test_runs_without_the_metric_come_last_and_a_higher_score_first(finish: Finish) -> None:
    runs = [
        finish("none"),
        finish("low", {"ndcg@10".replace("@", "_at_") + "_full": 0.1}),
        finish("high", {"ndcg_at_10_full": 0.2}),
    ]
    assert names(select_runs(runs, Selection(), sort="val_ndcg_at_10_full")) == ["high", "low", "none"]


@pytest.mark.parametrize("text", ["", "val_rmse", "val_rmse<", "<1", "a b<1"])
def test_an_unreadable_condition_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="cannot read the condition"):
        parse_condition(text)


@pytest.mark.parametrize("value", ["x", ">1", "nan", "inf"])
def test_a_condition_without_a_number_names_what_is_there_instead(value: str) -> None:
    with pytest.raises(UsageError, match=f"'{value}' in the condition .* is no number"):
        parse_condition(f"val_rmse<{value}")


def test_an_unknown_metric_names_the_nearest(finish: Finish) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'val_rmse'"):
        select_runs([finish("a")], Selection(conditions=[parse_condition("val_rmsse<1")]))


def test_a_date_means_its_whole_day() -> None:
    assert parse_timestamp("2026-11-23") == datetime(2026, 11, 23, tzinfo=UTC)
    assert parse_timestamp("2026-11-23", end_of_day=True) == datetime(2026, 11, 23, 23, 59, 59, 999999, UTC)
    assert parse_timestamp("2026-11-23T10:00+02:00") == datetime(2026, 11, 23, 8, tzinfo=UTC)
    with pytest.raises(UsageError, match="'yesterday' is not a date; expected"):
        parse_timestamp("yesterday")
    with pytest.raises(UsageError, match=r"not a date \(day is out of range for month\)"):
        parse_timestamp("2026-02-30")


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        ("val_rmse", "lower"),
        ("val_loss", "lower"),
        ("test_user_rmse", "lower"),
        ("test_calibration_error", "lower"),
        ("val_r2", "higher"),
        ("test_hit_rate_at_10_rated", "higher"),
        ("val_novelty_at_5_full", "neither"),
        ("val_kl", "neither"),
    ],
)
def test_every_metric_has_a_better_direction(metric: str, direction: str) -> None:
    assert search.direction_of(metric) == direction
