"""Guards speak of what the plan warns of, and of nothing in the plan's own templates."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from movielens_recsys.data.datasets import DATASETS
from movielens_recsys.errors import UnknownNameError
from movielens_recsys.experiments.data_facts import DataFacts
from movielens_recsys.experiments.overrides import config_from_clone, config_from_template
from movielens_recsys.experiments.preflight import as_events, check_accepted, preflight_findings
from movielens_recsys.experiments.templates import all_templates, load_template
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.training.memory_estimate import Device


def facts_of(config: ExperimentConfig) -> DataFacts | None:
    info = DATASETS.get(config.data.name) if config.data.path is None else None
    return DataFacts.of_catalogue(info) if info else None


LAPTOP = Device("a laptop", 8 * 2**30)


def names(template: str, modifications: dict[str, Any], device: Device = LAPTOP) -> list[str]:
    base, config = load_template(template).config("a"), config_from_template(template, "a", modifications)
    return [finding.name for finding in preflight_findings(config, base, facts_of(config), device)]


@pytest.mark.parametrize("template", all_templates(), ids=lambda template: template.name)
def test_no_template_is_warned_of(template: Any) -> None:
    config = template.config("a")
    assert preflight_findings(config, config, facts_of(config), LAPTOP) == []


@pytest.mark.parametrize(
    ("modifications", "expected"),
    [
        ({"training": {"seed": 42, "epochs": 100}}, []),
        ({"training": {"kl_weight": 0.015}}, []),
        ({"training": {"kl_weight": 0.016}}, ["kl_weight"]),
        ({"training": {"batch_size": 1536}}, ["batch_size"]),
        ({"training": {"batch_size": 1536, "batch_fraction": 0.1}}, []),
        ({"model": {"n_factors": 47}}, []),
        ({"model": {"n_factors": 50}}, ["capacity"]),
        ({"model": {"hidden_dims": [96, 48]}}, ["capacity"]),
        (
            {"training": {"kl_weight": 1, "batch_size": 1}, "model": {"latent_dim": 128}},
            ["kl_weight", "batch_size", "capacity"],
        ),
        ({"model": {"name": "user_item_bias"}, "training": {"batch_size": 1}}, []),
        ({"model": {"name": "neural_cf"}, "training": {"kl_weight": 1}}, ["capacity"]),
    ],
)
def test_each_check_warns_beyond_its_threshold(modifications: dict[str, Any], expected: list[str]) -> None:
    assert names("quickstart", modifications) == expected


def test_a_network_inside_a_composite_is_warned_of_too() -> None:
    stars = {"name": "hybrid_vae", "n_factors": 50}
    composite = {"name": "stars_and_lists", "stars": stars, "lists": {"name": "ease"}}
    changes = {"model": composite, "training": {"kl_weight": 0.1}}
    assert "kl_weight" in names("quickstart", changes)
    assert names("quickstart", {"model": {"name": "mult_vae"}, "training": {"kl_weight": 0.1}}) == []


def test_a_clone_is_measured_against_its_parent() -> None:
    parent = config_from_template("quickstart", "a", {"model": {"n_factors": 60}})
    same = config_from_clone(parent, "b")
    assert preflight_findings(same, parent) == []
    (finding,) = preflight_findings(config_from_clone(parent, "b", {"model": {"n_factors": 120}}), parent)
    assert finding.name == "capacity"
    assert finding.value == pytest.approx(121 / 61)


def test_memory_is_compared_with_the_device() -> None:
    large = {"data": {"name": "ml-32m"}}
    assert names("hybrid_vae_baseline", large, Device("a card", 8 * 2**30)) == []
    assert names("hybrid_vae_baseline", large, Device("a card", 2**30)) == ["memory"]
    assert names("hybrid_vae_baseline", {"data": {"path": "own.csv"}}, Device("a card", 1)) == []


def test_memory_of_sampling_is_compared_with_main_memory() -> None:
    large: dict[str, Any] = {"data": {"name": "ml-32m"}}
    laptop = Device("a laptop", 16 * 2**30)
    assert names("bayesian_mf", large, laptop) == ["memory"]
    assert (
        names("bayesian_mf", {**large, "model": {"kernel_rank": 200, "n_posterior_samples": 20}}, laptop)
        == []
    )
    assert names("stars_and_lists", large, Device("a phone", 2**30)) == ["memory"]


def test_memory_of_closed_forms_is_compared_with_main_memory() -> None:
    large: dict[str, Any] = {"data": {"name": "ml-32m"}}
    laptop = Device("a laptop", 8 * 2**30)
    assert names("ease", {**large, "model": {"max_items": 50_000}}, laptop) == ["memory"]
    assert names("ease", large, laptop) == []
    assert names("item_knn", {**large, "model": {"neighbours": 20_000}}, laptop) == ["memory"]


def test_a_ranking_longer_than_the_catalogue_is_warned_of_where_something_is_ranked() -> None:
    evaluation = {"k": 2_000}
    assert names("user_item_bias", {"evaluation": evaluation}) == ["cutoff"]
    assert names("user_item_bias", {"evaluation": {**evaluation, "protocols": []}}) == []


@pytest.mark.parametrize(
    ("template", "changes", "found"),
    [
        ("quickstart", {"targets": {"rmse": 0.9, "loss": 0.8, "ndcg_at_10": 0.1}}, []),
        ("user_item_bias", {"targets": {"loss": 0.8}}, ["targets"]),
        ("user_item_bias", {"targets": {"ndcg_at_10": 0.1}, "evaluation": {"k": 5}}, ["targets"]),
        ("user_item_bias", {"targets": {"ndcg_at_10": 0.1}, "evaluation": {"protocols": []}}, ["targets"]),
    ],
)
def test_targets_that_will_not_be_measured_are_warned_of(
    template: str, changes: dict[str, Any], found: list[str]
) -> None:
    assert names(template, changes) == found


def test_recorded_findings_say_whether_they_were_accepted() -> None:
    config = config_from_template("quickstart", "a", {"training": {"kl_weight": 0.1, "batch_size": 1024}})
    findings = preflight_findings(config, load_template("quickstart").config("a"))
    recorded = as_events(findings, ["batch_size", "memory"])
    assert [(event["name"], event["accepted"]) for event in recorded] == [
        ("kl_weight", False),
        ("batch_size", True),
    ]


def test_only_known_checks_can_be_accepted() -> None:
    check_accepted(["kl_weight", "memory"])
    with pytest.raises(UnknownNameError, match="did you mean 'batch_size'"):
        check_accepted(["batchsize"])


def test_it_needs_no_torch() -> None:
    code = "import sys, movielens_recsys.experiments.preflight; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
