"""Each chart of a report shows the quantity it names, and is left out where nothing was measured."""

from movielens_recsys.evaluation.report import MetricValue, Report
from movielens_recsys.reports.run_charts import comparison_charts, hardware_charts, learning_charts


def report(metrics, references):
    return Report(
        **dict.fromkeys(("part", "data_name", "data_hash", "split_hash"), ""),
        **dict.fromkeys(("n_ratings", "n_users", "users_without_relevant"), 1),
        **dict.fromkeys(("cold_users", "cold_items", "cold_ratings"), 0),
        split={},
        k=10,
        relevance_threshold=4.0,
        confidence=0.95,
        metrics=metrics,
        references=references,
        calibration=(),
        rating_counts=(),
        formulas={},
        protocols={},
        seconds=0.0,
    )


def rmse(value):
    return MetricValue("rmse", value, value - 0.01, value + 0.01, "held_out", 5)


def ndcg(value, protocol):
    return MetricValue("ndcg@10", value, None, None, protocol, 5)


def test_models_are_listed_from_best_to_worst():
    found = report(
        (rmse(0.9), ndcg(0.2, "full")),
        {"random": (rmse(1.5), ndcg(0.1, "full")), "perfect": (rmse(0.0), ndcg(1.0, "full"))},
    )
    error, ranking = comparison_charts(found)
    assert error.name == "RMSE"
    assert ranking.name == "NDCG@10, full"
    for chart in (error, ranking):
        places = [chart.drawing.index(f">{name}<") for name in ("perfect", "this run", "random")]
        assert places == sorted(places)


def test_only_measured_metrics_have_a_chart():
    assert [chart.name for chart in comparison_charts(report((ndcg(0.2, "rated"),), {}))] == [
        "NDCG@10, rated"
    ]


def epoch(number, kl=0.0):
    names = ("train_loss", "val_loss", "val_rmse", "learning_rate")
    return {"epoch": number, "val_kl": kl, **dict.fromkeys(names, 1.0 / number)}


def test_a_history_without_kl_has_no_chart_of_it():
    history = [epoch(1), epoch(2)]
    names = [chart.name for chart in learning_charts(history, 2)]
    assert names == ["Loss", "Validation RMSE", "Learning rate"]
    with_kl = [chart.name for chart in learning_charts([epoch(1, 0.3), epoch(2)], 2)]
    assert "Validation KL" in with_kl
    assert list(learning_charts([], None)) == []


def test_a_sampler_has_no_learning_rate_and_a_loss_without_kl():
    history = [{**epoch(number), "learning_rate": 0.0} for number in (1, 2)]
    loss, *others = learning_charts(history, None)
    assert [chart.name for chart in others] == ["Validation RMSE"]
    assert "KL" not in loss.note
    assert "KL" in next(iter(learning_charts([epoch(1, 0.3)], None))).note


def test_an_epoch_that_was_not_finite_leaves_a_gap():
    history = [epoch(1), {**epoch(2), "val_loss": None, "val_rmse": None}, epoch(3)]
    assert [chart.name for chart in learning_charts(history, 3)] == [
        "Loss",
        "Validation RMSE",
        "Learning rate",
    ]
    assert [chart.name for chart in learning_charts(history[1:2], None)] == ["Loss", "Learning rate"]


def test_the_loss_is_marked_as_no_rmse():
    loss, rmse_chart, *_ = learning_charts([epoch(1), epoch(2)], 2)
    assert "not comparable with RMSE" in loss.note
    assert loss.legend == ["training", "validation"]
    assert "epoch 2" in rmse_chart.note


def test_hardware_needs_two_measurements():
    events = [{"epoch": number, "quantities": {"cpu_percent": [50.0, 90.0]}} for number in (1, 2)]
    (chart,) = hardware_charts(events)
    assert chart.legend == ["CPU"]
    assert list(hardware_charts(events[:1])) == []
