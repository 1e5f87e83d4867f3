"""The main memory that a fit needs at least, compared with what this machine has."""

from __future__ import annotations

from typing import Any

from movielens_recsys.experiments.data_facts import DataFacts
from movielens_recsys.experiments.modifications import parse_assignments
from movielens_recsys.experiments.overrides import config_from_clone
from movielens_recsys.experiments.unmet_requirement import UnmetRequirement
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.training.memory_estimate import available_memory, gibibytes, least_bytes


def memory_requirement(config: ExperimentConfig, facts: DataFacts) -> UnmetRequirement | None:
    """Return the requirement of a fit that surely does not fit into main memory; None if it may."""
    needed, available = _least_bytes(config, facts), available_memory()
    if needed <= available:
        return None
    key, value = _smaller_setting(config, facts, available)
    return UnmetRequirement(
        f"{config.model.name} needs at least {gibibytes(needed)} of main memory for {facts.n_users:,} users "
        f"and {facts.n_items:,} items, and {gibibytes(available)} are available",
        "a larger machine, or a smaller model",
        key,
        value,
        advice="" if key else "run it on a larger machine",
    )


def _smaller_setting(config: ExperimentConfig, facts: DataFacts, available: int) -> tuple[str, Any]:
    """Return a key and a value with which the fit may do; an empty key if no single one is enough."""
    for name in config.model.settings_of_memory():
        key, value = f"model.{name}", _value_of(config, name)
        while value > 1:
            value //= 2
            smaller = config_from_clone(config, config.name, parse_assignments([f"{key}={value}"]))
            if _least_bytes(smaller, facts) <= available:
                return key, value
    return "", None


def _value_of(config: ExperimentConfig, name: str) -> int:
    """Return the value of a key below ``model``; 0 for one that is below a list, which no option sets."""
    value: Any = config.model
    for part in name.split("."):
        value = getattr(value, part, None)
    return value if isinstance(value, int) else 0


def _least_bytes(config: ExperimentConfig, facts: DataFacts) -> int:
    return least_bytes(config.model, config.training, facts.n_ratings, facts.n_users, facts.n_items)
