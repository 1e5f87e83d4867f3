"""Contingencies: what the plan answers to trouble in training, suggested or taken.

| cause | rungs, the first that is left |
| --- | --- |
| out_of_memory | micro-batches of 1536 rows, then half as many each time; the batch stays as it is |
| instability | back to the last good checkpoint: KL weight 0.005, then half the learning rate each time |
| poor_convergence | a warm-up of five epochs from here on, each time |
| validation_plateau | batches of 1536; KL weight 0.005; commands for capacity, the data, an ensemble |

``auto`` takes a rung that changes how the run is trained, at most three times for a cause, and writes down
what needs another run as commands; ``suggest`` writes down every rung as a command. Each answer is an event
with its cause, the old and the new values. Reported losses keep the planned KL weight, so what is measured
never changes.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movielens_recsys.data.splits.split import Split
from movielens_recsys.errors import DeviceMemoryError, UnstableTrainingError
from movielens_recsys.experiments.overrides import merge
from movielens_recsys.experiments.warning_monitor import WarningMonitor
from movielens_recsys.models.base import Model
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.writing import EventWriter
from movielens_recsys.schema import Finding
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.fit import fit
from movielens_recsys.training.history import EpochMetrics, FitResult, TrainingCallback

OUT_OF_MEMORY, INSTABILITY = "out_of_memory", "instability"
POOR_CONVERGENCE, PLATEAU = "poor_convergence", "validation_plateau"
MAX_ATTEMPTS = 3
SMALLER_BATCH = 1536
SMALLER_KL_WEIGHT = 0.005
MORE_WARMUP_EPOCHS = 5
MORE_CAPACITY = 1.2
MORE_SEEDS = (42, 123, 456)


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing to do about a cause: changes of the training section, or commands for other runs."""

    action: str
    changes: Mapping[str, Any]
    commands: tuple[str, ...] = ()


class Retry(Exception):
    """Training is to go on from its last checkpoint as `Contingencies.training` now says."""


def fit_with_recovery(
    run_id: str,
    config: ExperimentConfig,
    split: Split,
    writer: EventWriter,
    *,
    warn: Callable[[str], None],
    callbacks: Sequence[TrainingCallback],
    checkpoint_folder: Path,
    devices: int = 1,
    resume: bool = False,
    stop: Callable[[], bool] = lambda: False,
    memory_share: Callable[[], float | None] = lambda: None,
) -> tuple[Model, FitResult]:
    """Fit as `training.loop.fit` does, under early warnings, and go on where a contingency has an answer."""
    contingencies = Contingencies(run_id, config, writer, warn)
    while True:
        watch = WarningMonitor(writer, config.early_warnings, warn, contingencies.on_finding, memory_share)
        try:
            return fit(
                config.model,
                config.training,
                split,
                adjusted=contingencies.training,
                devices=devices,
                callbacks=[*callbacks, watch, contingencies],
                checkpoint_folder=checkpoint_folder,
                resume=resume,
                stop=stop,
                ensure_owner=writer.ensure_owner,
            )
        except Retry:
            pass
        except (UnstableTrainingError, DeviceMemoryError) as error:
            contingencies.recover(error)
        resume = True


class Contingencies(TrainingCallback):
    """Answers the findings and errors of one run as its configuration says.

    Attributes
    ----------
    training
        How the run is trained now: its plan, changed by every answer taken since its last start.
    """

    def __init__(
        self, run_id: str, config: ExperimentConfig, writer: EventWriter, warn: Callable[[str], None]
    ) -> None:
        self._run_id, self._config, self._writer, self._warn = run_id, config, writer, warn
        self._epoch = 0
        self._pending: Finding | None = None
        self.training = config.training
        for taken in writer.run.contingencies:
            new = {key: values["new"] for key, values in taken["changes"].items()}
            self.training = changed(self.training, new)

    def on_finding(self, finding: Finding) -> None:
        """Keep what is to be answered once the epoch's checkpoint is written."""
        if finding.name in REMEDIES and self._config.contingencies != "off":
            self._pending = finding

    def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
        """Remember how far training has come."""
        self._epoch = record.epoch

    def on_checkpoint(self, epoch: int, step: int) -> None:
        """Answer what the last epoch's figures warn of.

        Raises
        ------
        Retry
            The answer changes how the run is trained.
        """
        finding, self._pending = self._pending, None
        if finding is not None and self._answer(finding.name, str(finding)):
            raise Retry(finding.name)

    def recover(self, error: UnstableTrainingError | DeviceMemoryError) -> None:
        """Answer an error that ended training; return if it is to go on.

        Raises
        ------
        TrainingError
            The same error: nothing is taken, or it has been tried often enough.
        """
        cause = OUT_OF_MEMORY if isinstance(error, DeviceMemoryError) else INSTABILITY
        if self._config.contingencies == "off" or not self._answer(cause, str(error)):
            raise error

    def _answer(self, cause: str, reason: str) -> bool:
        """Write the answer down, and say it; return whether it changes how the run is trained."""
        before = self._writer.run.contingencies
        tried = sum(row["cause"] == cause for row in before)
        if tried >= MAX_ATTEMPTS:
            return False
        rungs = REMEDIES[cause](self._config, self.training, self._epoch)
        first = rungs[0]
        automatic = self._config.contingencies == "auto" and bool(first.changes)
        new = first.changes if automatic else {}
        old = {key: getattr(self.training, key) for key in new}
        self._writer.append(
            "contingency",
            {
                "cause": cause,
                "reason": reason,
                "mode": "auto" if automatic else "suggest",
                "epoch": self._epoch,
                "tried": tried + 1,
                "at_most": MAX_ATTEMPTS,
                "action": first.action if automatic else "; ".join(rung.action for rung in rungs),
                "changes": {key: {"old": _plain(old[key]), "new": new[key]} for key in new},
                "commands": [] if automatic else self._commands(rungs),
            },
        )
        if automatic:
            self.training = changed(self.training, new)
            self._warn(f"{cause}: {first.action}, {tried + 1} of at most {MAX_ATTEMPTS} times")
        else:
            self._warn(f"{cause}: commands to try are in `recsys experiment show {self._run_id}`")
        return automatic

    def _commands(self, rungs: Sequence[Remedy]) -> list[str]:
        """Return what to type for each rung."""
        commands: list[str] = []
        for rung in rungs:
            name = f"{self._config.name}_{rung.action.replace(' ', '_')}"
            commands += rung.commands or [_clone(name, {"training": rung.changes})]
        return [command.replace("ID", self._run_id, 1) for command in commands]


def changed(training: TrainingConfig, changes: Mapping[str, Any]) -> TrainingConfig:
    """Return ``training`` with ``changes`` laid over it, validated."""
    return TrainingConfig.parse(merge(training.model_dump(mode="json"), changes))


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
    rungs = []
    if training.batch_fraction is None and training.batch_size > SMALLER_BATCH:
        rungs.append(Remedy("smaller batches", {"batch_size": SMALLER_BATCH}))
    rungs += _lower_kl_weight(config, training)
    if wider := config.model.with_more_capacity(MORE_CAPACITY):
        rungs.append(Remedy("more capacity", {}, (_clone(f"{config.name}_larger", {"model": wider}),)))
    data = shlex.quote(str(config.data.path or config.data.name))
    rungs.append(Remedy("a look at the data", {}, (f"recsys data check {data}",)))
    seeds = ",".join(str(seed) for seed in MORE_SEEDS)
    ensemble = f"recsys ensemble run --clone ID --seeds {seeds} {config.name}_seeds"
    return [*rungs, Remedy("an ensemble over seeds", {}, (ensemble,))]


def _lower_kl_weight(config: ExperimentConfig, training: TrainingConfig) -> list[Remedy]:
    """Return the rung that lowers the KL weight, if the model has one and it is not low yet."""
    if not hasattr(config.model, "latent_dim") or training.kl_weight <= SMALLER_KL_WEIGHT:
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


def _clone(name: str, changes: Mapping[str, Any]) -> str:
    return f"recsys experiment clone ID {name} --modifications {shlex.quote(json.dumps(changes))}"


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value
