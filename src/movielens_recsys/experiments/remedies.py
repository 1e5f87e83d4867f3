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


@dataclass(frozen=True, slots=True)
class Situation:
    """A run in trouble: its configuration, how it is trained now, and the epoch that it finished last."""

    run_id: str
    config: ExperimentConfig
    training: TrainingConfig
    epoch: int


def _out_of_memory(run: Situation) -> list[Remedy]:
    rows = run.training.micro_batch_size or run.training.batch_size
    smaller = SMALLER_BATCH if rows > SMALLER_BATCH else max(rows // 2, 2)
    return [Remedy("smaller micro-batches", {"micro_batch_size": smaller})]


def _instability(run: Situation) -> list[Remedy]:
    slower = Remedy("half the learning rate", {"learning_rate": run.training.learning_rate / 2})
    return [*_lower_kl_weight(run), slower]


def _poor_convergence(run: Situation) -> list[Remedy]:
    warmup = {"warmup_epochs": float(run.epoch + MORE_WARMUP_EPOCHS)}
    return [Remedy("more warm-up", {"learning_rate_schedule": warmup})]


def _plateau(run: Situation) -> list[Remedy]:
    config, training = run.config, run.training
    remedies = []
    if training.batch_fraction is None and training.batch_size > SMALLER_BATCH:
        remedies.append(Remedy("smaller batches", {"batch_size": SMALLER_BATCH}))
    remedies += _lower_kl_weight(run)
    if wider := config.model.with_more_capacity(MORE_CAPACITY):
        clone = clone_command(run.run_id, f"{config.name}_larger", {"model": wider})
        remedies.append(Remedy("more capacity", {}, (clone,)))
    data = shlex.quote(str(config.data.path or config.data.name))
    remedies.append(Remedy("a look at the data", {}, (f"recsys data check {data}",)))
    seeds = ",".join(str(seed) for seed in MORE_SEEDS)
    ensemble = f"recsys ensemble run --clone {run.run_id} --seeds {seeds} {config.name}_seeds"
    return [*remedies, Remedy("an ensemble over seeds", {}, (ensemble,))]


def _lower_kl_weight(run: Situation) -> list[Remedy]:
    """Return the remedy that lowers the KL weight, if the model has one that is not low yet."""
    training = run.training
    if not run.config.model.uses_kl_weight or training.kl_weight <= SMALLER_KL_WEIGHT:
        return []
    changes: dict[str, Any] = {"kl_weight": SMALLER_KL_WEIGHT}
    if training.kl_annealing is not None and training.kl_annealing.beta_min > SMALLER_KL_WEIGHT:
        changes["kl_annealing"] = {"beta_min": SMALLER_KL_WEIGHT}
    return [Remedy("lower KL weight", changes)]


REMEDIES: Mapping[str, Callable[[Situation], list[Remedy]]] = {
    OUT_OF_MEMORY: _out_of_memory,
    INSTABILITY: _instability,
    POOR_CONVERGENCE: _poor_convergence,
    PLATEAU: _plateau,
}


def clone_command(run_id: str, name: str, changes: Mapping[str, Any]) -> str:
    """Return the command that clones a run with ``changes``."""
    return f"recsys experiment clone {run_id} {name} --modifications {shlex.quote(json.dumps(changes))}"
