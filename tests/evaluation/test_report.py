"""Reports survive JSON exactly and find each metric by its name."""

import json

import pytest

from movielens_recsys.errors import EvaluationError
from movielens_recsys.evaluation.evaluate import evaluate
from movielens_recsys.evaluation.report import Report


@pytest.fixture(scope="module")
def report(split, recommender, other_recommender):
    return evaluate(recommender, split, references={"other": other_recommender})


def test_json_round_trip_is_exact(report):
    text = json.dumps(report.to_json(), allow_nan=False)
    again = Report.from_json(json.loads(text))
    assert again == report
    assert json.dumps(again.to_json(), allow_nan=False) == text


def test_the_keys_of_the_json_are_those_of_earlier_reports(report):
    values = report.to_json()
    assert {"figures", "stars"} <= set(values)
    assert not {"metrics", "rating_counts", "per_user"} & set(values)


def test_every_metric_has_its_formula_and_protocol(report):
    for measured in report.metrics:
        assert measured.metric in report.formulas
        assert measured.protocol in report.protocols


def test_metrics_are_found_by_metric_and_protocol(report):
    assert report.metric_value("rmse").protocol == "held_out"
    assert report.metric_value("ndcg@10", "full").value != report.metric_value("ndcg@10", "rated").value
    assert report.metric_value("rmse", reference="other").value != report.metric_value("rmse").value


@pytest.mark.parametrize(
    ("metric", "protocol"), [("ndcg@10", "held_out"), ("ndcg@5", "full"), ("rmse", "full")]
)
def test_a_metric_that_was_not_measured_is_refused(report, metric, protocol):
    with pytest.raises(EvaluationError, match=f"no metric {metric} under the protocol {protocol}"):
        report.metric_value(metric, protocol)


def test_unknown_reference_models_are_refused(report):
    with pytest.raises(EvaluationError, match="no reference model 'best'; expected one of other, perfect"):
        report.metric_value("rmse", reference="best")


@pytest.mark.parametrize("change", [{"figures": None}, {"new": 1}, {"figures": [{"metric": "rmse"}]}])
def test_values_of_something_else_are_refused(report, change):
    with pytest.raises(EvaluationError, match="not a report's"):
        Report.from_json(report.to_json() | change)
    with pytest.raises(EvaluationError, match="not a report's"):
        Report.from_json({})


def test_a_report_is_shown_with_a_line_a_metric(report):
    lines = repr(report).splitlines()
    assert len(lines) == 1 + len(report.metrics)
    assert lines[0].startswith(f"Report({report.part} part of ")
    assert max(map(len, lines)) < 120
