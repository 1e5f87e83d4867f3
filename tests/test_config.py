"""Configurations: what is wrong is refused in one line, with the nearest key where there is one."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from movielens_recsys.config import RENAMED_KEYS, Config
from movielens_recsys.errors import ConfigError
from movielens_recsys.runs.config import ExperimentConfig


class Adam(Config):
    kind: Literal["adam"] = "adam"
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3


class Sgd(Config):
    kind: Literal["sgd"] = "sgd"
    momentum: float = 0.9


class Recipe(Config):
    epochs: Annotated[int, Field(ge=1)]
    layers: tuple[int, ...] = (8, 4)
    optimizer: Annotated[Adam | Sgd, Field(discriminator="kind")] = Adam()
    fallback: Adam | None = None


def refusal(values, config=Recipe):
    with pytest.raises(ConfigError) as caught:
        config.parse(values)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_was_parsed_can_be_written_and_read_again():
    recipe = Recipe.parse({"epochs": 3, "layers": [4, 2], "optimizer": {"kind": "sgd", "momentum": 0.5}})
    assert recipe == Recipe(epochs=3, layers=(4, 2), optimizer=Sgd(momentum=0.5))
    assert Recipe.parse(recipe.model_dump()) == recipe
    assert Recipe.parse(recipe.model_dump(mode="json")) == recipe


def test_a_configuration_never_changes():
    with pytest.raises(ValidationError, match="frozen"):
        Recipe(epochs=1).epochs = 2


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"epochs": 1, "epoch": 1}, "unknown key 'epoch'; expected one of epochs, fallback, layers, optim"),
        ({"epoch": 1}, "; did you mean 'epochs'?"),
        ({"epochs": 1, "optimizer": {"kind": "adam", "learning_rat": 1}}, "did you mean 'learning_rate'?"),
        ({"epochs": 1, "optimizer": {"kind": "sgd", "nesterov": 1}}, "expected one of kind, momentum;"),
        ({"epochs": 1, "fallback": {"learningrate": 0.1}}, "did you mean 'learning_rate'?"),
        (
            {"epochs": 1, "optimizer": {"kind": "adm"}},
            "unknown optimizer.kind 'adm'; expected one of adam, sgd",
        ),
        ({"epochs": 1, "optimizer": {"kind": "adm"}}, "; did you mean 'adam'?"),
        ({"epochs": 1, "zzzzzzzz": 1}, "remove or correct it"),
    ],
)
def test_an_unknown_word_brings_the_nearest_one(values, words):
    assert words in refusal(values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "epochs: Field required"),
        ({"epochs": 0}, "epochs: Input should be greater than or equal to 1, found 0"),
        ({"epochs": "7"}, "epochs: Input should be a valid integer, found '7'"),
        ({"epochs": True}, "found True"),
        ({"epochs": 1.5}, "found 1.5"),
        ({"epochs": 1, "layers": [1, "x"]}, "layers.1: Input should be a valid integer, found 'x'"),
        ({"epochs": 1, "optimizer": {"kind": "adam", "learning_rate": float("nan")}}, "found nan"),
        ({"epochs": 1, "optimizer": {"kind": "adam", "learning_rate": float("inf")}}, "found inf"),
        ({"epochs": 1, "optimizer": 3}, "found 3"),
        ({"epochs": 0, "layers": "x"}, "(and 1 more)"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(values, words):
    assert words in refusal(values)


def test_a_long_value_does_not_flood_the_message():
    assert len(refusal({"epochs": "x" * 10_000})) < 300


def test_a_long_key_does_not_flood_the_message():
    assert len(refusal({"epochs": 1, "k" * 10_000: 1})) < 300


RENAMED = {
    "bags": ("model", {"name": "bayesian_mf"}, False),
    "batch_share": ("training", {}, 0.5),
    "input_noise": ("training", {}, 0.25),
    "kept_draws": ("model", {"name": "bayesian_mf"}, 7),
    "positive_from": ("model", {"name": "ease"}, 3.5),
    "relevant_from": ("evaluation", {}, 3.0),
}


def experiment(section: str, values: dict[str, object]) -> ExperimentConfig:
    return ExperimentConfig.parse(
        {"name": "a", "template": "b", "model": {"name": "hybrid_vae"}} | {section: values}
    )


def test_every_renamed_key_is_tried_below():
    assert set(RENAMED) == set(RENAMED_KEYS)


@pytest.mark.parametrize("former", RENAMED)
def test_a_former_key_is_read_as_the_present_one(former):
    section, others, value = RENAMED[former]
    config = experiment(section, {**others, former: value})
    assert config == experiment(section, {**others, RENAMED_KEYS[former]: value})
    assert config.model_dump(mode="json")[section][RENAMED_KEYS[former]] == value


@pytest.mark.parametrize("former", RENAMED)
def test_configurations_are_hashed_under_the_former_key(former):
    section, others, value = RENAMED[former]
    hashed = experiment(section, {**others, former: value}).model_dump(mode="json", by_alias=True)
    assert hashed[section][former] == value
    assert RENAMED_KEYS[former] not in hashed[section]


@pytest.mark.parametrize("former", RENAMED)
def test_a_key_under_both_names_is_refused(former):
    section, others, value = RENAMED[former]
    with pytest.raises(ConfigError, match=f"{former!r} beside .*; remove {former!r}"):
        experiment(section, {**others, former: value, RENAMED_KEYS[former]: value})


@pytest.mark.parametrize("values", [None, [], "text", 3])
def test_what_is_no_section_at_all_is_refused(values):
    assert "Input should be an object" in refusal(values)
