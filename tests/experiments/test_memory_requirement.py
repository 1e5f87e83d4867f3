"""A fit that surely does not fit into memory is refused with a setting that does, and others pass."""

from __future__ import annotations

from typing import Any

import pytest

from movielens_recsys.data.scale import Scale
from movielens_recsys.experiments import memory_requirement as module
from movielens_recsys.experiments.data_facts import DataFacts
from movielens_recsys.experiments.memory_requirement import memory_requirement
from movielens_recsys.experiments.overrides import config_from_template

LARGE = DataFacts("large", Scale(1, 5, 1), 30_000_000, 300_000, 80_000)


@pytest.mark.parametrize(
    ("template", "model", "option"),
    [
        ("ease", {"max_items": 60_000}, ("model.max_items", 15_000)),
        (
            "stars_and_lists",
            {"lists": {"name": "ease", "max_items": 60_000}, "stars": {"name": "global_mean"}},
            ("model.lists.max_items", 15_000),
        ),
        ("bayesian_mf", {"kernel_rank": 4_096}, ("model.kernel_rank", 1_024)),
    ],
)
def test_a_refusal_names_a_setting_that_fits(
    template: str, model: dict[str, Any], option: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "available_memory", lambda: 8 * 2**30)
    config = config_from_template(template, "a", {"model": model})
    unmet = memory_requirement(config, LARGE)
    assert unmet is not None
    assert "of main memory for 300,000 users and 80,000 items, and 8.0 GiB are available" in unmet.found
    assert (unmet.key, unmet.value) == option


def test_without_a_setting_that_is_enough_only_a_larger_machine_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "available_memory", lambda: 0)
    unmet = memory_requirement(config_from_template("list_blend", "a"), LARGE)
    assert unmet is not None
    assert unmet.advice == "run it on a larger machine"


def test_what_may_fit_passes() -> None:
    small = DataFacts("small", Scale(1, 5, 1), 1_000, 50, 40)
    for template in ("ease", "bayesian_mf", "hybrid_vae_two_sided", "user_item_bias"):
        assert memory_requirement(config_from_template(template, "a"), small) is None
