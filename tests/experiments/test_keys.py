"""Every key of a configuration, as `recsys experiment keys` lists it."""

from __future__ import annotations

import pytest

from movielens_recsys.config import config_fields
from movielens_recsys.errors import UnknownNameError
from movielens_recsys.experiments.keys import ConfigKey, config_keys, search_keys
from movielens_recsys.experiments.modifications import parse_assignments
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.experiments.templates import template_names
from movielens_recsys.runs.config import ExperimentConfig


def by_name(keys: list[ConfigKey]) -> dict[str, ConfigKey]:
    return {key.key: key for key in keys}


def test_a_key_has_type_range_default_and_meaning() -> None:
    (epochs,) = (key for key in config_keys() if key.key == "training.epochs")
    assert (epochs.value, epochs.default, epochs.kind) == ("integer ≥ 1, ≤ 100000", "50", "")
    assert epochs.meaning.startswith("Maximum number of passes over the training rows")


def test_every_key_has_a_meaning_and_a_value() -> None:
    keys = config_keys()
    assert {key.kind for key in keys} > {"kfold", "bayesian_mf", "stars_and_lists ease"}
    assert [key.key for key in keys if not (key.meaning and key.value and key.default)] == []


@pytest.mark.parametrize("template", template_names())
def test_the_keys_of_a_template_have_its_values(template: str) -> None:
    keys = by_name(config_keys(template))
    config = config_from_template(template, "x")
    assert keys["model.name"].default == config.model.name
    assert keys["training.seed"].default == str(config.training.seed)
    assert {key.kind.split(" ")[0] for key in keys.values()} == {
        "",
        config.split.protocol,
        config.model.name,
    }


def test_what_is_listed_can_be_set() -> None:
    numbers = [key for key in config_keys("quickstart") if key.default.replace(".", "").isdecimal()]
    assert len(numbers) > 30
    for key in numbers:
        changes = parse_assignments([f"{key.key}={key.default}"])
        assert config_from_template("quickstart", "x", changes).training.epochs == 60


def test_a_search_finds_paths_then_meanings_and_former_names() -> None:
    keys = config_keys("bayesian_mf")
    assert search_keys(keys, ["training", "epochs"])[0].key == "training.epochs"
    assert [key.key for key in search_keys(keys, ["kept_draws"])] == ["model.n_posterior_samples"]
    assert "model.noise_shape" in by_name(search_keys(keys, ["precision is gamma"]))
    assert search_keys(keys, ["xyzzy"]) == []


def test_an_unknown_template_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="quickstart"):
        config_keys("quikstart")


def test_a_section_that_is_off_has_its_keys_too() -> None:
    values = config_from_template("quickstart", "x").model_dump(mode="json")
    paths = {field.path for field in config_fields(ExperimentConfig, values)}
    assert {"training.swa", "training.swa.start"} <= paths
    assert "split.fold" not in paths
