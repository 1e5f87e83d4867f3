"""Which remedies a cause has, in which order, and when one no longer applies."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.experiments.remedies import (
    INSTABILITY,
    OUT_OF_MEMORY,
    PLATEAU,
    POOR_CONVERGENCE,
    REMEDIES,
    Remedy,
    Situation,
)


def remedies(cause: str, template: str = "quickstart", epoch: int = 7, **training: Any) -> list[Remedy]:
    config = config_from_template(template, "demo", {"training": training})
    return REMEDIES[cause](Situation("demo_1", config, config.training, epoch))


@pytest.mark.parametrize(
    ("training", "rows"),
    [
        ({"batch_size": 4096}, 1536),
        ({"batch_size": 1536}, 768),
        ({"batch_size": 4096, "micro_batch_size": 500}, 250),
        ({"batch_size": 3}, 2),
    ],
)
def test_memory_is_saved_by_smaller_micro_batches_and_the_batch_stays(
    training: dict[str, Any], rows: int
) -> None:
    (remedy,) = remedies(OUT_OF_MEMORY, **training)
    assert remedy.changes == {"micro_batch_size": rows}


def test_instability_lowers_the_kl_weight_once_and_then_the_learning_rate() -> None:
    first, second = remedies(INSTABILITY, kl_weight=0.1, learning_rate=0.004)
    assert first.changes == {"kl_weight": 0.005}
    assert second.changes == {"learning_rate": 0.002}
    (only,) = remedies(INSTABILITY, kl_weight=0.005, learning_rate=0.004)
    assert only == second
    assert len(remedies(INSTABILITY, "neural_cf_baseline", kl_weight=0.1)) == 1, "it has no KL"


def test_an_annealing_begins_no_higher_than_the_lowered_weight() -> None:
    annealing = {"beta_min": 0.02, "epochs": 4}
    changes = remedies(INSTABILITY, kl_weight=0.1, kl_annealing=annealing)[0].changes
    assert changes == {"kl_weight": 0.005, "kl_annealing": {"beta_min": 0.005}}
    low = remedies(INSTABILITY, kl_weight=0.1, kl_annealing={**annealing, "beta_min": 0.001})[0].changes
    assert low == {"kl_weight": 0.005}


def test_a_warm_up_ends_five_epochs_from_here() -> None:
    (remedy,) = remedies(POOR_CONVERGENCE, epoch=7)
    assert remedy.changes == {"learning_rate_schedule": {"warmup_epochs": 12.0}}


def test_a_plateau_ends_in_commands_that_can_be_typed() -> None:
    found = remedies(PLATEAU, batch_size=2048, kl_weight=0.01)
    assert [dict(remedy.changes) for remedy in found] == [
        {"batch_size": 1536},
        {"kl_weight": 0.005},
        {},
        {},
        {},
    ]
    commands = [shlex.split(command) for remedy in found for command in remedy.commands]
    assert all(words[0] == "recsys" for words in commands)
    wider, check, ensemble = commands
    config = config_from_template("quickstart", "demo")
    assert wider[:5] == ["recsys", "experiment", "clone", "demo_1", "demo_larger"]
    assert json.loads(wider[-1]) == {"model": config.model.with_more_capacity(1.2)}
    assert check == ["recsys", "data", "check", "ml-100k"]
    assert ensemble[:5] == ["recsys", "ensemble", "run", "--clone", "demo_1"]
    assert "42,123,456" in ensemble


def test_a_path_of_data_stands_in_commands_as_it_is() -> None:
    path = "/disk/ID/IDs of users.csv"
    config = config_from_template("quickstart", "demo", {"data": {"path": path}})
    situation = Situation("demo_1", config, config.training, 7)
    commands = [command for remedy in REMEDIES[PLATEAU](situation) for command in remedy.commands]
    assert shlex.split(commands[1]) == ["recsys", "data", "check", path]


def test_a_batch_that_is_a_fraction_of_the_rows_is_not_made_smaller() -> None:
    assert remedies(PLATEAU, batch_size=2048, batch_fraction=0.1)[0].changes == {"kl_weight": 0.005}
