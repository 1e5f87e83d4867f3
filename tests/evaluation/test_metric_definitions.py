"""Every metric has a direction and a formula under its name."""

import pytest

from movielens_recsys.errors import UnknownNameError
from movielens_recsys.evaluation.metric_definitions import (
    RANKING_METRICS,
    RATING_METRICS,
    TRAINING_METRICS,
    metric_definition,
)


@pytest.mark.parametrize(
    ("name", "better", "label"),
    [
        ("rmse", "lower", "RMSE"),
        ("map", "higher", "MAP"),
        ("novelty", "neither", "Novelty"),
        ("kl", "neither", "KL"),
    ],
)
def test_label_and_direction(name, better, label):
    assert metric_definition(name).better == better
    assert metric_definition(name).label == label


def test_no_two_tables_share_a_name():
    tables = (RATING_METRICS, RANKING_METRICS, TRAINING_METRICS)
    assert len({name for table in tables for name in table}) == sum(map(len, tables))


def test_a_near_miss_is_named():
    with pytest.raises(UnknownNameError, match="did you mean 'ndcg'"):
        metric_definition("ndgc")
