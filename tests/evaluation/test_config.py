"""The settings of an evaluation: their bounds, and the former key of the relevance threshold."""

import pytest

from movielens_recsys.errors import ConfigError
from movielens_recsys.evaluation.config import EvaluationConfig


def test_defaults():
    config = EvaluationConfig()
    assert (config.k, config.relevance_threshold, config.protocols) == (10, 4.0, ("full", "rated"))


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
