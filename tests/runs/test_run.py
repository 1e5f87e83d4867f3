import pytest

from movielens_recsys.runs.run import Run, RunMetric


def test_a_run_is_a_value() -> None:
    with pytest.raises(AttributeError):
        Run("a").seconds = 1.0  # type: ignore[misc]


def test_json_has_lists_and_costs() -> None:
    run = Run("a", history=({"epoch": 1},), metrics={"val_rmse": RunMetric(0.9, 0.8, 1.0)}, seconds=3600.0)
    values = run.to_json()
    assert values["history"] == [{"epoch": 1}]
    assert values["figures"] == {"val_rmse": {"value": 0.9, "low": 0.8, "high": 1.0}}
    assert (values["spent_usd"], values["usd_per_rmse_point"]) == (0.0, None)


def test_the_relevance_threshold_is_said_beside_rankings_alone() -> None:
    rated = Run("a", relevance_threshold=4.0, relevant_share=0.5, metrics={"test_rmse": RunMetric(0.9)})
    assert rated.relevance == ""
    ranked = Run("a", relevance_threshold=4.0, metrics={"test_ndcg_at_10_full": RunMetric(0.9)})
    assert "4 or more" in ranked.relevance
