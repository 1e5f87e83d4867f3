"""The settings of an evaluation: their bounds, and the former key of the relevance threshold."""

import pytest

from movielens_recsys.data.scale import Scale
from movielens_recsys.errors import ConfigError
from movielens_recsys.evaluation.config import EvaluationConfig


def test_defaults():
    config = EvaluationConfig()
    assert (config.k, config.relevance_threshold, config.protocols) == (10, None, ("full", "rated"))


def test_the_threshold_follows_the_scale_unless_it_is_stated():
    scales = (Scale(1, 5, 1), Scale(0.5, 5, 0.5), Scale(1, 10, 1), Scale(0, 1, 1), Scale(-10, 10))
    assert [EvaluationConfig().threshold_on(scale) for scale in scales] == [4, 4, 8, 1, 5]
    assert EvaluationConfig(relevance_threshold=3).threshold_on(Scale(1, 10, 1)) == 3


@pytest.mark.parametrize(
    "values",
    [
        {"k": 0},
        {"protocols": ["half"]},
        {"protocols": ["full", "full"]},
        {"confidence": 0.5},
        {"confidence": 1.0},
        {"bootstrap_samples": 99},
    ],
)
def test_values_out_of_bounds_are_refused(values):
    with pytest.raises(ConfigError):
        EvaluationConfig.parse(values)


def test_the_former_key_of_the_threshold_is_read():
    assert EvaluationConfig.parse({"relevant_from": 3.5}) == EvaluationConfig(relevance_threshold=3.5)
