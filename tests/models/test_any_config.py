"""The name of a configuration decides its class, at no heavy import."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import TypeAdapter, ValidationError

from movielens_recsys.models.any_config import AnyFittedConfig, AnyModelConfig
from movielens_recsys.models.table import MODELS, entry_of

PARTS = {
    "list_blend": {"members": [{"model": {"name": "ease"}}]},
    "stars_and_lists": {"stars": {"name": "bayesian_mf"}, "lists": {"name": "ease"}},
    "ensemble": {"members": [{"name": "popularity"}, {"name": "neural_cf"}], "blend": "mean"},
}


@pytest.mark.parametrize("name", MODELS)
def test_the_name_decides_the_class(name: str) -> None:
    config = TypeAdapter(AnyFittedConfig).validate_python({"name": name, **PARTS.get(name, {})})
    assert type(config) is entry_of(name).config_class()


def test_an_experiment_fits_no_ensemble() -> None:
    adapter = TypeAdapter(AnyModelConfig)
    assert adapter.validate_python({"name": "popularity"}).name == "popularity"
    with pytest.raises(ValidationError, match="ensemble"):
        adapter.validate_python({"name": "ensemble", **PARTS["ensemble"]})


def test_configurations_load_no_heavy_library() -> None:
    heavy = ("torch", "scipy", "numba", "polars", "sklearn", "numpy")
    code = f"import sys, movielens_recsys.models.any_config; print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
