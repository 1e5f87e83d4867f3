"""Every metric has a direction and a formula under its name."""

import pytest

from movielens_recsys.errors import UnknownNameError
from movielens_recsys.evaluation.metrics import label, metric_definition


@pytest.mark.parametrize(
    ("name", "better", "words"),
    [("rmse", "lower", "RMSE"), ("map@20", "higher", "MAP@20"), ("novelty@10", "neither", "Novelty@10")],
)
def test_names(name, better, words):
    assert metric_definition(name).better == better
    assert label(name) == words


def test_a_near_miss_is_named():
    with pytest.raises(UnknownNameError, match="did you mean 'ndcg'"):
        metric_definition("ndgc@10")
