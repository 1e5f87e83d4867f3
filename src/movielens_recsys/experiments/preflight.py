"""Preflight checks at creation: known problems of a configuration, reported before any time is spent.

They advise and never refuse. The machine that creates an experiment need not be the one that runs it, and
an unusual value may be the point of the experiment: ``--accept NAME`` records that it is intended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from movielens_recsys.data.datasets import DATASETS, DatasetInfo
from movielens_recsys.errors import UnknownNameError
from movielens_recsys.models.footprint import ModelFootprint
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.schema import Finding, Severity
from movielens_recsys.training.memory_estimate import Device, bytes_needed, device_for

KL_WEIGHT, BATCH_SIZE, CAPACITY, MEMORY = PREFLIGHT_CHECKS = ("kl_weight", "batch_size", "capacity", "memory")
STABLE_KL_WEIGHT = 0.015
PROVEN_BATCH_SIZE = 2048
CAPACITY_GROWTH = 1.5
MEMORY_SHARE = 0.9


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
    config: ExperimentConfig, base: ExperimentConfig, device: Device | None = None
) -> list[Finding]:
    """Return the warnings about ``config``: for MCMC about memory alone, for models without a network none.

    Parameters
    ----------
    base
        Its template, or the experiment that it clones: capacity is compared with it.
    device
        The device to run on; by default that of this machine, looked up only if the data's size is known.
    """
    if config.model.uses_mcmc:
        found = _mcmc_memory(config, device)
        return [] if found is None else [found]
    size = config.model.footprint()
    if size is None:
        return []
    findings = [
        _kl_weight(config),
        _batch_size(config),
        _capacity(size, base.model.footprint()),
        _memory(config, size, device),
    ]
    return [finding for finding in findings if finding is not None]


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


def _memory(config: ExperimentConfig, size: ModelFootprint, device: Device | None) -> Finding | None:
    def needed(info: DatasetInfo) -> int:
        batch = config.training.batch_rows(info.n_ratings)
        return bytes_needed(size, batch, info.n_ratings, info.n_users, info.n_items)

    settings_to_lower = "training.batch_size or model.n_factors"
    return _memory_finding(config, needed, device, config.training.device, settings_to_lower)


def _mcmc_memory(config: ExperimentConfig, device: Device | None) -> Finding | None:
    """Compare the memory of sampling with the main memory, in which it always runs."""

    def needed(info: DatasetInfo) -> int:
        return config.model.sampling_bytes(info.n_ratings, info.n_users, info.n_items)

    return _memory_finding(config, needed, device, "cpu", "model.kernel_rank or model.n_posterior_samples")


def _memory_finding(
    config: ExperimentConfig,
    needed: Callable[[DatasetInfo], int],
    device: Device | None,
    device_name: str,
    settings_to_lower: str,
) -> Finding | None:
    """Compare the bytes ``needed`` with the device; None if they fit or the data's size is unknown."""
    info = DATASETS.get(config.data.name) if config.data.path is None else None
    if info is None:
        return None
    device = device or device_for(device_name)
    total = needed(info)
    share = total / device.total_bytes
    if share <= MEMORY_SHARE:
        return None
    return _warning(
        MEMORY,
        share,
        MEMORY_SHARE,
        f"needs about {total / 2**30:.1f} GiB of the {device.total_bytes / 2**30:.1f} of {device.name}: "
        f"lower {settings_to_lower}, or run it elsewhere",
    )


def _warning(name: str, value: float, threshold: float, advice: str) -> Finding:
    return Finding(name, float(value), threshold, Severity.WARNING, advice)
