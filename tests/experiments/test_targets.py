from typing import Any

from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.experiments.targets import check_targets
from movielens_recsys.runs.config import Targets
from movielens_recsys.runs.run import RunMetric


def checked(
    targets: Targets, metrics: dict[str, RunMetric], protocols: tuple[str, ...] = ("full", "rated")
) -> list[dict[str, Any]]:
    changes = {"targets": targets.model_dump(mode="json"), "evaluation": {"protocols": protocols}}
    return check_targets(config_from_template("quickstart", "demo", changes), metrics)


PLAN = Targets(rmse=0.55, precision_at_10=0.40, ndcg_at_10=0.45)


def test_each_target_is_compared_with_validation_under_each_protocol() -> None:
    figures = {
        "val_rmse": RunMetric(0.93),
        "test_rmse": RunMetric(0.5),
        "val_loss": RunMetric(0.87),
        "val_precision_at_10_full": RunMetric(0.02),
        "val_precision_at_10_rated": RunMetric(0.45),
    }
    rows = checked(PLAN, figures)
    assert [(row["metric"], row["protocol"], row["target"], row["met"]) for row in rows] == [
        ("rmse", "random split", "< 0.55", False),
        ("precision_at_10", "full ranking, random split", "> 0.4", False),
        ("precision_at_10", "rated ranking, random split", "> 0.4", True),
        ("ndcg_at_10", "full ranking, random split", "> 0.45", None),
        ("ndcg_at_10", "rated ranking, random split", "> 0.45", None),
    ]
    assert (rows[0]["validation"], rows[0]["test"], rows[0]["val_loss"]) == (0.93, 0.5, 0.87)


def test_a_ranking_target_is_compared_under_the_measured_protocols_alone() -> None:
    rows = checked(PLAN, {}, protocols=("rated",))
    assert [row["protocol"] for row in rows] == ["random split", *["rated ranking, random split"] * 2]
    assert [row["metric"] for row in checked(PLAN, {}, protocols=())] == ["rmse"]


def test_a_loss_never_stands_in_for_a_missing_rmse() -> None:
    (row,) = checked(Targets(rmse=0.55), {"val_loss": RunMetric(0.5)})
    assert (row["met"], row["validation"]) == (None, None)


def test_a_target_of_the_loss_is_compared_with_the_loss() -> None:
    figures = {"val_loss": RunMetric(0.56), "val_rmse": RunMetric(0.54), "test_rmse": RunMetric(0.54)}
    (row,) = checked(Targets(loss=0.55), figures)
    assert (row["metric"], row["target"], row["validation"], row["test"]) == ("loss", "< 0.55", 0.56, None)
    assert row["met"] is False


def test_a_metric_equal_to_its_target_misses_it() -> None:
    assert checked(Targets(rmse=0.55), {"val_rmse": RunMetric(0.55)})[0]["met"] is False


def test_no_targets_no_gate() -> None:
    assert checked(Targets(), {"val_rmse": RunMetric(0.1)}) == []
