"""Preflight checks at creation: known problems of a configuration, reported before any time is spent.

They advise and never refuse; `requirements` does. The machine that creates an experiment need not be the one
that runs it, and an unusual value may be the point of the experiment: ``--accept NAME`` records that it is
intended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from movielens_recsys.errors import UnknownNameError
from movielens_recsys.experiments.data_facts import DataFacts
from movielens_recsys.models.footprint import ModelFootprint
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.schema import Finding, Severity
from movielens_recsys.training.memory_estimate import Device, device_for, gibibytes, network_bytes

PREFLIGHT_CHECKS = KL_WEIGHT, BATCH_SIZE, CAPACITY, MEMORY, CUTOFF, TARGETS = (
    "kl_weight",
    "batch_size",
    "capacity",
    "memory",
    "cutoff",
    "targets",
)
STABLE_KL_WEIGHT = 0.015
PROVEN_BATCH_SIZE = 2048
CAPACITY_GROWTH = 1.5
MEMORY_SHARE = 0.9
TARGET_CUTOFF = 10
"""Cut-off of the ranking metrics that a target can be set for."""


def check_accepted(names: Sequence[str]) -> None:
    """Refuse a name that no preflight check has.

    Raises
    ------
    UnknownNameError
        Naming the nearest one.
    """
    for name in names:
        if name not in PREFLIGHT_CHECKS:
            raise UnknownNameError("preflight check", name, PREFLIGHT_CHECKS)


def preflight_findings(
    config: ExperimentConfig,
    base: ExperimentConfig,
    facts: DataFacts | None = None,
    device: Device | None = None,
) -> list[Finding]:
    """Return the warnings about ``config``.

    Parameters
    ----------
    base
        Its template, or the experiment that it clones: capacity is compared with it.
    facts
        What is known of its data; None leaves out what depends on them.
    device
        The device to run on; by default that of this machine, looked up only if the data's size is known.
    """
    found = [_cutoff(config, facts), _targets(config), _memory(config, facts, device)]
    size = None if config.model.uses_mcmc else config.model.footprint()
    if size is not None:
        found = [_kl_weight(config), _batch_size(config), _capacity(size, base.model.footprint()), *found]
    return [finding for finding in found if finding is not None]


def as_events(findings: Sequence[Finding], accepted: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return the findings as the ``created`` event holds them, each with whether it was accepted."""
    return [{**finding.to_json(), "accepted": finding.name in accepted} for finding in findings]


def _kl_weight(config: ExperimentConfig) -> Finding | None:
    weight = config.training.kl_weight
    if not config.model.uses_kl_weight or weight <= STABLE_KL_WEIGHT:
        return None
    return _warning(
        KL_WEIGHT,
        weight,
        STABLE_KL_WEIGHT,
        "known to be unstable above, and the latent tends to collapse: 0.005 to 0.01 is proven",
    )


def _batch_size(config: ExperimentConfig) -> Finding | None:
    size = config.training.batch_size
    if size == PROVEN_BATCH_SIZE or config.training.batch_fraction is not None:
        return None
    return _warning(
        BATCH_SIZE, size, PROVEN_BATCH_SIZE, "the other settings were chosen at 2048: choose them anew too"
    )


def _capacity(size: ModelFootprint, base: ModelFootprint | None) -> Finding | None:
    """Compare the layers' weights, and the embedding dimension, with those of the base.

    The larger growth counts. Neither depends on the number of users and items.
    """
    if base is None:
        return None
    growth = max(size.layers / base.layers, size.embedding_dim / max(base.embedding_dim, 1))
    if growth <= CAPACITY_GROWTH:
        return None
    return _warning(
        CAPACITY,
        growth,
        CAPACITY_GROWTH,
        "more than half as large again as its origin: grow in smaller steps, and watch the loss gap",
    )


def _memory(config: ExperimentConfig, facts: DataFacts | None, device: Device | None) -> Finding | None:
    """Compare what a network needs with its device, and what other fits need with main memory."""
    if facts is None:
        return None
    model, sizes = config.model, (facts.n_ratings, facts.n_users, facts.n_items)
    in_main_memory = max(model.sampling_bytes(*sizes), model.fit_bytes(*sizes))
    for needed, choice, settings in (
        (network_bytes(model, config.training, *sizes), config.training.device, ("training.batch_size",)),
        (in_main_memory, "cpu", ()),
    ):
        where = device or (device_for(choice) if needed else None)
        if where is None or needed <= MEMORY_SHARE * where.total_bytes:
            continue
        to_lower = " or ".join([*settings, *(f"model.{name}" for name in model.settings_of_memory())])
        return _warning(
            MEMORY,
            needed / where.total_bytes,
            MEMORY_SHARE,
            f"needs about {gibibytes(needed)} of the {gibibytes(where.total_bytes)} of {where.name}: "
            f"lower {to_lower}, or run it elsewhere",
        )
    return None


def _cutoff(config: ExperimentConfig, facts: DataFacts | None) -> Finding | None:
    if facts is None or not config.evaluation.protocols or config.evaluation.k <= facts.n_items:
        return None
    return _warning(
        CUTOFF,
        config.evaluation.k,
        facts.n_items,
        "rankings end with the catalogue, and precision counts the missing places as misses: "
        f"set evaluation.k to at most {facts.n_items}",
    )


def _targets(config: ExperimentConfig) -> Finding | None:
    """Find targets for metrics that the run will not measure."""
    targets, evaluation = config.targets.model_dump(exclude_none=True), config.evaluation
    ranked = bool(evaluation.protocols) and evaluation.k == TARGET_CUTOFF
    measured = {
        "loss": config.model.rating_model.fit_method in ("gradient", "mcmc"),
        "rmse": True,
        "precision_at_10": ranked,
        "ndcg_at_10": ranked,
    }
    missing = [f"targets.{name}" for name in targets if not measured[name]]
    if not missing:
        return None
    return _warning(
        TARGETS,
        len(missing),
        0,
        f"{', '.join(missing)}: not measured by this model with evaluation.k {evaluation.k} and "
        f"evaluation.protocols [{', '.join(evaluation.protocols)}]; set each to null, or measure it",
    )


def _warning(name: str, value: float, threshold: float, advice: str) -> Finding:
    return Finding(name, float(value), threshold, Severity.WARNING, advice)
