from collections.abc import Callable
from dataclasses import replace

import pytest

from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs.comparison import compare_runs, metric_order
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.store import load_config
from movielens_recsys.settings import Settings

Finish = Callable[..., Run]


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


def test_a_comparison_has_none_for_a_metric_or_key_that_a_run_lacks(finish: Finish) -> None:
    runs = [finish("a"), finish("b", template="popularity", epochs=0)]
    configs = [
        config_from_template("quickstart", "a", {"model": {"latent_dim": 16}}),
        config_from_template("popularity", "b"),
    ]
    result = compare_runs(runs, configs)
    assert result["figures"]["val_loss"][1] is None
    assert result["configuration"]["model.latent_dim"] == [16, None]


def test_a_threshold_that_is_not_known_yet_is_no_difference() -> None:
    planned = Run(id="p")
    unresolved = config_from_template("quickstart", "p", {"evaluation": {"relevance_threshold": None}})
    known = replace(planned, id="q", relevance_threshold=4.0)
    for threshold, differs in ((None, False), (4.0, False), (1.0, True)):
        other = config_from_template("quickstart", "q", {"evaluation": {"relevance_threshold": threshold}})
        warnings = compare_runs([known, planned], [unresolved, other])["warnings"]
        assert any("relevance_threshold differs" in text for text in warnings) == differs


def test_metrics_are_ordered_by_part_then_ratings_before_rankings() -> None:
    figures = ["test_rmse", "val_ndcg_at_10_rated", "val_ndcg_at_10_full", "val_rmse", "train_loss"]
    assert sorted(figures, key=metric_order) == [
        "train_loss",
        "val_rmse",
        "val_ndcg_at_10_full",
        "val_ndcg_at_10_rated",
        "test_rmse",
    ]
