from collections.abc import Callable

import pytest

from movielens_recsys.errors import EvaluationError, UnknownNameError, UsageError
from movielens_recsys.runs import groups
from movielens_recsys.runs.run import Run

Finish = Callable[..., Run]


def test_best_run_ranks_comparable_runs_and_the_heading_names_their_data(finish: Finish) -> None:
    runs = [
        finish("b", {"rmse": 0.93}),
        finish("a", {"rmse": 0.92}),
        finish("failed", {"rmse": 0.1}, end="failed"),
    ]
    group = groups.best_run(runs, "val_rmse", {})
    assert [run.name for run in group.runs] == ["a", "b"]
    heading = groups.format_metric("val_rmse", group)
    assert heading == "rmse on the validation part, random split s1s1s1s1 of ml-100k d1d1d1d1"


def test_unknown_data_and_splits_are_named(finish: Finish) -> None:
    runs = [finish("a")]
    for data, split in (("", ""), ("ml-100k", "random"), ("d1", "s1"), ("books", "kfold")):
        groups.check_chosen(runs, data, split, ["books"])
    with pytest.raises(UnknownNameError, match="unknown data set 'nix'; expected one of books, ml-100k"):
        groups.check_chosen(runs, "nix", "", ["books"])
    with pytest.raises(UnknownNameError, match="unknown split 'nix'; expected one of global_temporal, kfold"):
        groups.check_chosen(runs, "", "nix", [])


@pytest.mark.parametrize("other", [{"data": "d2"}, {"split": "s2"}])
def test_best_run_refuses_metrics_of_different_rows(other: dict[str, str], finish: Finish) -> None:
    runs = [finish("a", {"rmse": 0.9}), finish("b", {"rmse": 0.8}, **other)]
    with pytest.raises(EvaluationError, match="cannot be compared between"):
        groups.best_run(runs, "val_rmse", {})
    chosen = groups.best_run(runs, "val_rmse", {}, **other)
    assert [run.name for run in chosen.runs] == ["b"]
    with pytest.raises(EvaluationError, match="no completed run has val_rmse there"):
        groups.best_run(runs, "val_rmse", {}, data="other")


def test_best_run_refuses_different_kl_weights_and_relevance_thresholds(
    finish: Finish,
) -> None:
    relevance = {"evaluation": {"relevance_threshold": 3.0}}
    runs = [
        finish("a", {"ndcg_at_10_full": 0.1}),
        finish("b", {"ndcg_at_10_full": 0.1}, modifications=relevance),
    ]
    with pytest.raises(EvaluationError, match=r"KL weight 0\.02"):
        groups.best_run(runs, "val_loss", {runs[0].id: 0.01, runs[1].id: 0.02})
    assert len(groups.best_run(runs, "val_loss", {run.id: 0.01 for run in runs}).runs) == 2
    with pytest.raises(EvaluationError, match="relevant from 3"):
        groups.best_run(runs, "test_ndcg_at_10_full", {})


def test_best_run_refuses_metrics_without_a_direction_or_without_runs(finish: Finish) -> None:
    run = finish("a", {"novelty_at_10_full": 3.0})
    with pytest.raises(UsageError, match="no better direction"):
        groups.best_run([run], "val_novelty_at_10_full", {})
    with pytest.raises(EvaluationError, match="run an experiment first"):
        groups.best_run([], "val_rmse", {})
