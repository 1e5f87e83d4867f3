"""Every metric has one row of text, with the value of every reference model."""

from movielens_recsys.evaluation.evaluate import evaluate
from movielens_recsys.evaluation.table import report_rows


def test_rows(split, recommender, other_recommender):
    report = evaluate(recommender, split, references={"user+item bias": other_recommender})
    rows = {(row.metric, row.protocol): row for row in report_rows(report)}
    assert len(rows) == len(report.metrics)
    rmse = rows["RMSE", "held_out"]
    assert rmse.value == f"{report.metric_value('rmse').value:.4f}"
    assert rmse.references["popularity"] == "–"
    assert rmse.references["perfect"] == "0.0000"
    assert list(rmse.references) == ["random", "popularity", "user+item bias", "perfect"]
    assert rows["NDCG@10", "full"].references["perfect"] == "1.0000"
    assert rows["Coverage@10", "full"].interval == "–"
