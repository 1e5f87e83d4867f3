"""One line per model: what it names exists and agrees."""

from __future__ import annotations

import pytest

from movielens_recsys.errors import UnknownNameError
from movielens_recsys.experiments.templates import all_templates
from movielens_recsys.models.base import Model
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.table import MODELS, entry_of


@pytest.mark.parametrize("name", MODELS)
def test_an_entry_names_its_configuration_and_its_class(name: str) -> None:
    entry = entry_of(name)
    assert issubclass(entry.config_class(), ModelConfig)
    assert entry.config_class().model_fields["name"].default == name
    assert issubclass(entry.model_class(), Model)
    assert entry.model_class().__module__ == entry.model_module


def test_an_unknown_model_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="item_knn"):
        entry_of("item_kn")


def test_every_model_but_the_ensemble_has_a_template_or_is_part_of_one() -> None:
    used = {template.config("x").model.name for template in all_templates()}
    assert used == set(MODELS) - {"ensemble"}
