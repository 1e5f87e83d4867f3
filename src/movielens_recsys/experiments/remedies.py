"""Remedies for trouble in training, by cause, in the order in which they are tried.

| cause | remedies; the first that still applies is taken |
| --- | --- |
| out_of_memory | micro-batches of 1536 rows, then half as many each time; the batch stays as it is |
| instability | back to the last good checkpoint: KL weight 0.005, then half the learning rate each time |
| poor_convergence | a warm-up that ends five epochs from here, each time |
| validation_plateau | batches of 1536; KL weight 0.005; commands for capacity, the data, an ensemble |
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.training.config import TrainingConfig

OUT_OF_MEMORY, INSTABILITY = "out_of_memory", "instability"
POOR_CONVERGENCE, PLATEAU = "poor_convergence", "validation_plateau"
SMALLER_BATCH = 1536
SMALLER_KL_WEIGHT = 0.005
MORE_WARMUP_EPOCHS = 5
MORE_CAPACITY = 1.2
MORE_SEEDS = (42, 123, 456)


@dataclass(frozen=True, slots=True)
class Remedy:
    """One response to a cause: changes of the training configuration, or commands that start other runs."""

    action: str
    changes: Mapping[str, Any]
    commands: tuple[str, ...] = ()


def _out_of_memory(config: ExperimentConfig, training: TrainingConfig, epoch: int) -> list[Remedy]:
    rows = training.micro_batch_size or training.batch_size
    smaller = SMALLER_BATCH if rows > SMALLER_BATCH else max(rows // 2, 2)
    return [Remedy("smaller micro-batches", {"micro_batch_size": smaller})]


def _instability(config: ExperimentConfig, training: TrainingConfig, epoch: int) -> list[Remedy]:
    slower = Remedy("half the learning rate", {"learning_rate": training.learning_rate / 2})
    return [*_lower_kl_weight(config, training), slower]


def _poor_convergence(config: ExperimentConfig, training: TrainingConfig, epoch: int) -> list[Remedy]:
    warmup = {"warmup_epochs": float(epoch + MORE_WARMUP_EPOCHS)}
    return [Remedy("more warm-up", {"learning_rate_schedule": warmup})]


def _plateau(config: ExperimentConfig, training: TrainingConfig, epoch: int) -> list[Remedy]:
    remedies = []
    if training.batch_fraction is None and training.batch_size > SMALLER_BATCH:
        remedies.append(Remedy("smaller batches", {"batch_size": SMALLER_BATCH}))
    remedies += _lower_kl_weight(config, training)
    if wider := config.model.with_more_capacity(MORE_CAPACITY):
        remedies.append(
            Remedy("more capacity", {}, (clone_command(f"{config.name}_larger", {"model": wider}),))
        )
    data = shlex.quote(str(config.data.path or config.data.name))
    remedies.append(Remedy("a look at the data", {}, (f"recsys data check {data}",)))
    seeds = ",".join(str(seed) for seed in MORE_SEEDS)
    ensemble = f"recsys ensemble run --clone ID --seeds {seeds} {config.name}_seeds"
    return [*remedies, Remedy("an ensemble over seeds", {}, (ensemble,))]


def _lower_kl_weight(config: ExperimentConfig, training: TrainingConfig) -> list[Remedy]:
    """Return the remedy that lowers the KL weight, if the model has one that is not low yet."""
    if not config.model.uses_kl_weight or training.kl_weight <= SMALLER_KL_WEIGHT:
        return []
    changes: dict[str, Any] = {"kl_weight": SMALLER_KL_WEIGHT}
    if training.kl_annealing is not None and training.kl_annealing.beta_min > SMALLER_KL_WEIGHT:
        changes["kl_annealing"] = {"beta_min": SMALLER_KL_WEIGHT}
    return [Remedy("lower KL weight", changes)]


REMEDIES: Mapping[str, Callable[[ExperimentConfig, TrainingConfig, int], list[Remedy]]] = {
    OUT_OF_MEMORY: _out_of_memory,
    INSTABILITY: _instability,
    POOR_CONVERGENCE: _poor_convergence,
    PLATEAU: _plateau,
}


def clone_command(name: str, changes: Mapping[str, Any]) -> str:
    """Return the command that clones the run ``ID`` with ``changes``."""
    return f"recsys experiment clone ID {name} --modifications {shlex.quote(json.dumps(changes))}"
