"""What commit 2d3770e left on disk is opened, and says what it said then."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pytest
from tests.compat import api, common
from tests.compat.api import Place
from tests.compat.conftest import Golden, read_golden

EXPECTED = read_golden().expected
PROSE = {
    "experiment templates": {"description"},
    "experiment best": {"what"},
    "experiment compare": {"warnings"},
    "data list": {"title", "licence", "citation"},
    "data describe ml-100k": {"advice"},
    "data check mine": {"advice"},
}
"""What commands say in sentences of today, whose words may change; those of a log are as they were."""

ADDED = {"data describe ml-100k": {"account"}, "data check mine": {"account"}}
"""What commands say beside what they said then: how the lines and columns of a file were read."""


def test_every_file_of_the_archive_is_what_was_packed(golden: Golden, old: Place) -> None:
    for name, files in golden.expected["bundles"].items():
        folder = golden.bundle(old, name)
        assert {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()
        } == files
    for path, entry in golden.expected["checkpoints"].items():
        content = (old.folders["home"] / path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]


def test_templates_are_the_same_experiments(golden: Golden) -> None:
    assert api.template_hashes() == golden.expected["template_hashes"]


@pytest.mark.parametrize("name", EXPECTED["ids"])
def test_a_run_is_opened(golden: Golden, old: Place, name: str) -> None:
    run_id = golden.expected["ids"][name]
    assert api.config_hash(old, run_id) == golden.expected["config_hashes"][name]
    listed = {row["id"]: row for row in golden.outputs["experiment list"]}[run_id]
    run = api.run_of(old, run_id)
    run.pop("utilization")  # lists leave it out
    assert run == {key: value for key, value in listed.items() if key not in {"utilization", "process_gone"}}


@pytest.mark.parametrize("name", EXPECTED["made_by"])
def test_the_command_that_made_a_run_plans_the_same_one(golden: Golden, again: Place, name: str) -> None:
    made_by = golden.expected["made_by"][name]
    words = (made_by["template"], f"typed_{name}", "-m", json.dumps(made_by["modifications"]), "--json")
    run = api.recsys(again, "experiment", "create", *words)
    assert api.former_run_hash(again, run["id"]) == golden.expected["config_hashes"][name]


@pytest.mark.parametrize("name", EXPECTED["bundles"])
def test_a_bundle_answers_as_it_did(golden: Golden, old: Place, name: str) -> None:
    answers = api.answers_of(golden.bundle(old, name), golden.expected["asked"])
    assert answers.keys() == golden.answers[name].keys()
    for question, answer in answers.items():
        expected = golden.answers[name][question]
        assert answer.dtype == expected.dtype
        np.testing.assert_allclose(answer, expected, rtol=1e-5, atol=1e-5, err_msg=question)


@pytest.mark.parametrize("path", EXPECTED["checkpoints"], ids=lambda path: path.split("/", 1)[1])
def test_a_checkpoint_is_opened(golden: Golden, old: Place, path: str) -> None:
    entry = golden.expected["checkpoints"][path]
    shapes, metadata = api.read_checkpoint(old.folders["home"] / path)
    assert shapes == entry["shapes"]
    assert metadata == entry["metadata"]


@pytest.mark.parametrize("data", EXPECTED["split_hashes"])
@pytest.mark.parametrize("place", ["old", "again"])
def test_data_and_splits_are_the_same_rows(
    golden: Golden, request: pytest.FixtureRequest, place: str, data: str
) -> None:
    where: Place = request.getfixturevalue(place)  # from the cache of then, and from the files
    assert api.content_hash(where, data) == golden.expected["content_hashes"][data]
    splits = golden.expected["split_configs"]
    hashes = {name: api.split_hash(where, data, config) for name, config in splits.items()}
    assert hashes == golden.expected["split_hashes"][data]


@pytest.mark.parametrize("command", EXPECTED["commands"])
def test_a_command_prints_the_same_json(golden: Golden, old: Place, command: str) -> None:
    printed = api.recsys(old, *golden.expected["commands"][command])
    expected = golden.outputs[command]
    prose = PROSE.get(command, set())
    for key in ADDED.get(command, set()):
        del printed[key]
    assert without(common.without_paths(printed, old.folders), prose) == without(expected, prose)


def without(values: Any, prose: set[str]) -> Any:
    """Return plain JSON values in which a type, or a number of lines, stands for what is said in words."""
    if isinstance(values, list):
        return [without(value, prose) for value in values]
    if not isinstance(values, dict):
        return values
    return {
        key: (len(value) if isinstance(value, list) else type(value).__name__)
        if key in prose
        else without(value, prose)
        for key, value in values.items()
    }
