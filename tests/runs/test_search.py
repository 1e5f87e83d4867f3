from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from movielens_recsys.errors import EvaluationError, UnknownNameError, UsageError
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import search
from movielens_recsys.runs.comparison import compare_runs, metric_order
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.search import Selection, parse_condition, parse_timestamp, select_runs
from movielens_recsys.runs.states import archive_run
from movielens_recsys.runs.store import load_config
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


def test_runs_without_the_figure_come_last_and_a_higher_score_first(finish: Finish) -> None:
    runs = [
        finish("none"),
        finish("low", {"ndcg@10".replace("@", "_at_") + "_full": 0.1}),
        finish("high", {"ndcg_at_10_full": 0.2}),
    ]
    assert names(select_runs(runs, Selection(), sort="val_ndcg_at_10_full")) == ["high", "low", "none"]


@pytest.mark.parametrize("text", ["", "val_rmse", "val_rmse<", "<1", "val_rmse<x", "val_rmse<>1", "a b<1"])
def test_an_unreadable_condition_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="cannot read the condition"):
        parse_condition(text)


def test_an_unknown_figure_names_the_nearest(finish: Finish) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'val_rmse'"):
        select_runs([finish("a")], Selection(conditions=[parse_condition("val_rmsse<1")]))


def test_a_date_means_its_whole_day() -> None:
    assert parse_timestamp("2026-11-23") == datetime(2026, 11, 23, tzinfo=UTC)
    assert parse_timestamp("2026-11-23", end_of_day=True) == datetime(2026, 11, 23, 23, 59, 59, 999999, UTC)
    assert parse_timestamp("2026-11-23T10:00+02:00") == datetime(2026, 11, 23, 8, tzinfo=UTC)
    with pytest.raises(UsageError, match="not a date"):
        parse_timestamp("yesterday")


@pytest.mark.parametrize(
    ("figure", "direction"),
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
def test_every_figure_knows_its_better_direction(figure: str, direction: str) -> None:
    assert search.direction_of(figure) == direction


def test_best_ranks_what_was_judged_alike_and_says_what_it_is_of(finish: Finish) -> None:
    runs = [
        finish("b", {"rmse": 0.93}),
        finish("a", {"rmse": 0.92}),
        finish("failed", {"rmse": 0.1}, end="failed"),
    ]
    group = search.best_run(runs, "val_rmse", {})
    assert names(group.runs) == ["a", "b"]
    heading = search.format_metric("val_rmse", group)
    assert heading == "rmse on the validation part, random split s1s1s1s1 of ml-100k d1d1d1d1"


@pytest.mark.parametrize("other", [{"data": "d2"}, {"split": "s2"}])
def test_best_refuses_figures_of_other_rows(other: dict[str, str], finish: Finish) -> None:
    runs = [finish("a", {"rmse": 0.9}), finish("b", {"rmse": 0.8}, **other)]
    with pytest.raises(EvaluationError, match="cannot be compared between"):
        search.best_run(runs, "val_rmse", {})
    chosen = search.best_run(runs, "val_rmse", {}, **other)
    assert names(chosen.runs) == ["b"]
    with pytest.raises(EvaluationError, match="no completed run has val_rmse there"):
        search.best_run(runs, "val_rmse", {}, data="other")


def test_best_refuses_losses_of_different_kl_weights_and_lists_of_different_relevance(finish: Finish) -> None:
    relevance = {"evaluation": {"relevance_threshold": 3.0}}
    runs = [
        finish("a", {"ndcg_at_10_full": 0.1}),
        finish("b", {"ndcg_at_10_full": 0.1}, modifications=relevance),
    ]
    with pytest.raises(EvaluationError, match=r"KL weight 0\.02"):
        search.best_run(runs, "val_loss", {runs[0].id: 0.01, runs[1].id: 0.02})
    assert len(search.best_run(runs, "val_loss", {run.id: 0.01 for run in runs}).runs) == 2
    with pytest.raises(EvaluationError, match="relevant from 3"):
        search.best_run(runs, "test_ndcg_at_10_full", {})


def test_best_refuses_figures_without_a_direction_or_without_runs(finish: Finish) -> None:
    run = finish("a", {"novelty_at_10_full": 3.0})
    with pytest.raises(UsageError, match="no better direction"):
        search.best_run([run], "val_novelty_at_10_full", {})
    with pytest.raises(EvaluationError, match="run an experiment first"):
        search.best_run([], "val_rmse", {})


def test_a_comparison_shows_only_what_differs_and_keeps_loss_and_rmse_apart(
    finish: Finish, settings: Settings
) -> None:
    runs = [
        finish("a", {"rmse": 0.9}),
        finish("b", {"rmse": 0.8}, modifications={"training": {"seed": 5, "kl_weight": 0.1}}, data="d2"),
    ]
    result = compare_runs(runs, [load_config(run.id, settings) for run in runs])
    kl_weight = load_config(runs[0].id, settings).training.kl_weight
    assert result["configuration"] == {"training.seed": [0, 5], "training.kl_weight": [kl_weight, 0.1]}
    assert [figure["value"] for figure in result["figures"]["val_rmse"]] == [0.9, 0.8]
    assert result["figures"]["val_loss"][0]["value"] == pytest.approx(0.998**2 + 0.001)
    assert result["figures"]["val_rmse"][0] == {"value": 0.9, "low": 0.89, "high": 0.91}
    assert ["data differ" in text or "losses are not comparable" in text for text in result["warnings"]] == [
        True,
        True,
    ]


def test_a_comparison_has_none_for_what_a_model_lacks(finish: Finish) -> None:
    runs = [finish("a"), finish("b", template="popularity", epochs=0)]
    configs = [
        config_from_template("quickstart", "a", {"model": {"latent_dim": 16}}),
        config_from_template("popularity", "b"),
    ]
    result = compare_runs(runs, configs)
    assert result["figures"]["val_loss"][1] is None
    assert result["configuration"]["model.latent_dim"] == [16, None]


def test_figures_stand_in_order_of_part_then_stars_before_lists() -> None:
    figures = ["test_rmse", "val_ndcg_at_10_rated", "val_ndcg_at_10_full", "val_rmse", "train_loss"]
    assert sorted(figures, key=metric_order) == [
        "train_loss",
        "val_rmse",
        "val_ndcg_at_10_full",
        "val_ndcg_at_10_rated",
        "test_rmse",
    ]
