"""The worked examples in the docstrings of the evaluation room are true."""

import doctest
import importlib
import pkgutil

import pytest

from movielens_recsys import evaluation

MODULES = [module.name for module in pkgutil.iter_modules(evaluation.__path__)]
METRICS = {"rating": 5, "ranking": 9}


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(f"movielens_recsys.evaluation.{name}")
    result = doctest.testmod(module)
    assert result.failed == 0
    assert result.attempted >= METRICS.get(name, 0)
