"""Automatic recovery: the response to trouble in training, taken or suggested.

The configuration's ``contingencies`` decides. ``auto`` takes the first of the `remedies` for a cause if it
changes how the run is trained, at most `MAX_ATTEMPTS` times for a cause, and records commands where only
another run can help; ``suggest`` records every remedy as a command; ``off`` does nothing. Each response is an
event with its cause and the old and new values. Reported losses keep the planned KL weight, so a remedy
never changes the metric by which it is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from movielens_recsys.data.splits.split import Split
from movielens_recsys.errors import DeviceMemoryError, UnstableTrainingError
from movielens_recsys.experiments.overrides import merge
from movielens_recsys.experiments.remedies import (
    INSTABILITY,
    OUT_OF_MEMORY,
    REMEDIES,
    Remedy,
    Situation,
    clone_command,
)
from movielens_recsys.experiments.warning_monitor import WarningMonitor
from movielens_recsys.models.base import Model
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.event_writer import EventWriter
from movielens_recsys.schema import Finding
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.fit import fit
from movielens_recsys.training.history import EpochMetrics, FitResult, TrainingCallback
from movielens_recsys.training.session import TrainingSession

MAX_ATTEMPTS = 3
"""How often a cause is responded to since the run's last start."""


class Retry(Exception):
    """Training is to continue from its last checkpoint with the new `Recovery.training`."""


def fit_with_recovery(
    config: ExperimentConfig,
    split: Split,
    writer: EventWriter,
    session: TrainingSession,
    *,
    warn: Callable[[str], None],
    memory_share: Callable[[], float | None] = lambda: None,
) -> tuple[Model, FitResult]:
    """Fit as `training.fit.fit` does, under early warnings; continue with a remedy where there is one."""
    recovery = Recovery(config, writer, warn)
    thresholds = config.early_warnings.in_ratings(split.ratings.scale.star)
    while True:
        monitor = WarningMonitor(writer, thresholds, warn, recovery.on_finding, memory_share)
        attempt = replace(
            session,
            callbacks=[*session.callbacks, monitor, recovery],
            adjusted=recovery.training,
        )
        try:
            return fit(config.model, config.training, split, attempt)
        except Retry:
            pass
        except (UnstableTrainingError, DeviceMemoryError) as error:
            recovery.recover(error)
        session = replace(session, resume=True)


class Recovery(TrainingCallback):
    """Responds to the findings and errors of one run as its configuration says.

    Attributes
    ----------
    training
        The configuration to train with: the planned one with the changes of every remedy taken since the
        run's last start.
    """

    def __init__(self, config: ExperimentConfig, writer: EventWriter, warn: Callable[[str], None]) -> None:
        self._config, self._writer, self._warn = config, writer, warn
        self._run_id = writer.run.id
        history = writer.run.history
        self._last_finished_epoch: int = history[-1]["epoch"] if history else 0
        self._pending: Finding | None = None
        self.training = config.training
        for response in writer.run.contingencies:
            new = {key: values["new"] for key, values in response["changes"].items()}
            self.training = changed(self.training, new)

    def on_finding(self, finding: Finding) -> None:
        """Keep a finding until the epoch's checkpoint is written: a retry continues from there."""
        if finding.name in REMEDIES and self._config.contingencies != "off":
            self._pending = finding

    def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
        """Remember how far training has come."""
        self._last_finished_epoch = record.epoch

    def on_checkpoint(self, epoch: int, step: int) -> None:
        """Respond to the finding of the last epoch.

        Raises
        ------
        Retry
            A remedy changes how the run is trained.
        """
        finding, self._pending = self._pending, None
        if finding is not None and self._respond(finding.name, str(finding)):
            raise Retry(finding.name)

    def recover(self, error: UnstableTrainingError | DeviceMemoryError) -> None:
        """Respond to an error that ended training; return if training is to continue.

        Raises
        ------
        TrainingError
            The same error: no remedy is taken, or the cause was responded to often enough.
        """
        cause = OUT_OF_MEMORY if isinstance(error, DeviceMemoryError) else INSTABILITY
        if self._config.contingencies == "off" or not self._respond(cause, str(error)):
            raise error

    def _respond(self, cause: str, reason: str) -> bool:
        """Record a response and warn of it; return whether it changes how the run is trained."""
        attempts = sum(response["cause"] == cause for response in self._writer.run.contingencies)
        if attempts >= MAX_ATTEMPTS:
            return False
        situation = Situation(self._run_id, self._config, self.training, self._last_finished_epoch)
        remedies = REMEDIES[cause](situation)
        first = remedies[0]
        automatic = self._config.contingencies == "auto" and bool(first.changes)
        new = first.changes if automatic else {}
        old = {key: getattr(self.training, key) for key in new}
        self._writer.append(
            "contingency",
            {
                "cause": cause,
                "reason": reason,
                "mode": "auto" if automatic else "suggest",
                "epoch": self._last_finished_epoch,
                "tried": attempts + 1,
                "at_most": MAX_ATTEMPTS,
                "action": first.action if automatic else "; ".join(remedy.action for remedy in remedies),
                "changes": {key: {"old": _plain(old[key]), "new": new[key]} for key in new},
                "commands": [] if automatic else self._commands(remedies),
            },
        )
        if automatic:
            self.training = changed(self.training, new)
            self._warn(f"{cause}: {first.action}, {attempts + 1} of at most {MAX_ATTEMPTS} times")
        else:
            self._warn(f"{cause}: commands to try are in `recsys experiment show {self._run_id}`")
        return automatic

    def _commands(self, remedies: Sequence[Remedy]) -> list[str]:
        """Return what to type for each remedy."""
        commands: list[str] = []
        for remedy in remedies:
            name = f"{self._config.name}_{remedy.action.replace(' ', '_')}"
            clone = clone_command(self._run_id, name, {"training": remedy.changes})
            commands += remedy.commands or [clone]
        return commands


def changed(training: TrainingConfig, changes: Mapping[str, Any]) -> TrainingConfig:
    """Return ``training`` with ``changes`` laid over it, validated."""
    return TrainingConfig.parse(merge(training.model_dump(mode="json"), changes))


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value
