"""Executing an experiment: data, split, fit, evaluation, bundle and report, each step an event."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from typing import Any

from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits.split import Split, make_split, split_name
from movielens_recsys.errors import (
    CapReachedError,
    CheckpointError,
    ExperimentError,
    RecsysError,
    StorageError,
    TrainingStopped,
)
from movielens_recsys.experiments.artifacts import BIAS_ROW, CompletedRun, save_artifacts
from movielens_recsys.experiments.evaluate_run import evaluate_run, evaluated_event, validation_rmse
from movielens_recsys.experiments.recovery import fit_with_recovery
from movielens_recsys.experiments.targets import check_targets
from movielens_recsys.experiments.warning_monitor import forward_warnings
from movielens_recsys.models.base import Model
from movielens_recsys.models.baselines_config import UserItemBiasConfig
from movielens_recsys.models.factory import build_model
from movielens_recsys.runs import events
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.cost import CostGuard, apply_cap
from movielens_recsys.runs.event_writer import EventWriter, hold_run
from movielens_recsys.runs.heartbeat import Heartbeat
from movielens_recsys.runs.provenance import provenance_of
from movielens_recsys.runs.replay import replay
from movielens_recsys.runs.runtime import RuntimeMeter, seconds_of
from movielens_recsys.runs.store import load_config, run_folder
from movielens_recsys.runs.transitions import check_runnable, start_run
from movielens_recsys.settings import Settings
from movielens_recsys.training.history import EpochMetrics, FitResult, TrainingCallback
from movielens_recsys.training.session import DEFAULT_SESSION, TrainingSession


def execute(
    run_id: str,
    settings: Settings,
    session: TrainingSession = DEFAULT_SESSION,
    *,
    warn: Callable[[str], None] = lambda message: None,
    cap_usd: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> CompletedRun:
    """Run a planned experiment to its end; every step is on disk before the next begins.

    Trackers and notifications follow the run by reading its log (`tracking.processes`, `notify`).

    Parameters
    ----------
    session
        Callbacks beside the event log, the number of devices, whether to resume a run that was stopped or
        whose process died, and a function that stops it. Checkpoints go to the run's folder.
    warn
        Receives one line for each early warning.
    cap_usd
        A new cap on the cost of all attempts, from now on.
    clock
        Returns the seconds that the run is charged for; it never runs backwards.

    Raises
    ------
    ExperimentError
        The experiment is finished or another process runs it.
    CapReachedError
        The run has spent its cap: in training it is stopped after the step that did, and saved. An
        evaluation that has begun is finished.
    TrainingStopped
        ``session.stop`` returned True. The run is recorded as stopped and can be resumed. The same holds
        after its cap, Ctrl-C, a full disk and missing memory.
    RecsysError
        Any other error that ended the run, which is then recorded as failed, with the reason.
    """
    config, folder = load_config(run_id, settings), run_folder(run_id, settings)
    with _attempt(run_id, config, settings, session.resume, warn, cap_usd, clock) as (writer, cost_guard):
        split = load_split(config, settings)
        unused = config.model.settings_needing_timestamps() if split.ratings.timestamps is None else ()
        if unused:
            warn(f"the ratings have no timestamps: {', '.join(unused)} of the model have no effect")
        bias = build_model(UserItemBiasConfig(), split.part("train"))
        writer.append("data", {**data_event(split), "bias_val_rmse": validation_rmse(bias, split)})
        cost_guard.check()
        try:
            with Heartbeat(folder, writer) as heartbeat:
                training_session = replace(
                    session,
                    # The event first: a callback may raise, and the epoch must be in the log by then.
                    callbacks=[_EpochEvents(writer), heartbeat, *session.callbacks],
                    checkpoint_folder=folder / "checkpoints",
                    stop=lambda: cost_guard.at_cap or session.stop(),
                    ensure_owner=writer.ensure_owner,
                )
                recommender, result = fit_with_recovery(
                    config, split, writer, training_session, warn=warn, memory_share=heartbeat.memory_share
                )
        except TrainingStopped:
            cost_guard.check()
            raise
        writer.append("fitted", _fitted_event(recommender, result))
        cost_guard.check()
        completed = _conclude(run_id, config, settings, writer, split, recommender, {BIAS_ROW: bias})
    return replace(completed, run=writer.run)


@contextmanager
def _attempt(
    run_id: str,
    config: ExperimentConfig,
    settings: Settings,
    resume: bool,
    warn: Callable[[str], None],
    cap_usd: float | None,
    clock: Callable[[], float],
) -> Iterator[tuple[EventWriter, CostGuard]]:
    """Hold the run, count its time, and log the start and the end of the attempt."""
    with hold_run(run_id, settings) as folder, forward_warnings(warn):
        log = folder / events.FILE_NAME
        run = replay(run_id, events.read_events(log))
        check_runnable(run, resume=resume)
        run = apply_cap(replace(run, seconds=seconds_of(run, folder, warn)), cap_usd)
        with (
            RuntimeMeter(folder, run.seconds, clock=clock, warn=warn) as meter,
            EventWriter(log, lambda: meter.seconds) as writer,
        ):
            if not resume:
                # Before the new start is logged: a crash in between must not leave checkpoints of the old
                # attempt under the log of the new one, where a later resumption would join the two.
                shutil.rmtree(folder / "checkpoints", ignore_errors=True)
            raised = {} if cap_usd is None else {"cap_usd": cap_usd}
            start_run(run, writer, {**provenance_of(config), **raised}, resume=resume)
            cost_guard = CostGuard(run, meter)
            try:
                yield writer, cost_guard
                writer.append("completed", {})
            except BaseException as exc:  # Ctrl-C too ends the run, and is recorded
                kind = "stopped" if isinstance(exc, _RESUMABLE) else "failed"
                spending = {"cap_usd": cost_guard.run.cap_usd, "spent_usd": cost_guard.run.spent_usd}
                data = {"reason": _reason(exc), **(spending if isinstance(exc, CapReachedError) else {})}
                # The disk that refused, or the process that took the run over, may refuse this event too;
                # the first error is the one to report.
                with suppress(StorageError, ExperimentError):
                    writer.append(kind, data)
                raise


_RESUMABLE = (TrainingStopped, CheckpointError, KeyboardInterrupt, StorageError, OSError, MemoryError)
"""Errors that are not the experiment's fault: the run is saved, and can be resumed."""


class _EpochEvents(TrainingCallback):
    """Writes each epoch to the log."""

    def __init__(self, writer: EventWriter) -> None:
        self._writer = writer

    def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
        """Write the finished epoch."""
        self._writer.append("epoch", {**record.to_json(), "improved": improved})


def _conclude(
    run_id: str,
    config: ExperimentConfig,
    settings: Settings,
    writer: EventWriter,
    split: Split,
    recommender: Model,
    references: Mapping[str, Model],
) -> CompletedRun:
    """Evaluate the fitted model, compare it with the targets and write bundle and reports."""
    reports = evaluate_run(recommender, split, config, references)
    for part, report in reports.items():
        writer.append("evaluated", evaluated_event(part, report))
    writer.append("gate", {"targets": check_targets(config, writer.run.metrics)})
    run = writer.run
    completed = CompletedRun(run, config, split, recommender, reports, run_folder(run_id, settings))
    save_artifacts(completed)
    return completed


def load_split(config: ExperimentConfig, settings: Settings) -> Split:
    """Load the experiment's ratings and split them."""
    return make_split(load_ratings(config.data.path or config.data.name, settings), config.split)


def data_event(split: Split) -> dict[str, Any]:
    """Return the ``data`` event: sizes and hashes of a split and of its ratings."""
    ratings = split.ratings
    return {
        "data": {
            "name": ratings.name,
            "hash": ratings.content_hash,
            "rows_read": ratings.rows_read,
            "rows_rejected": ratings.rows_rejected,
            "ratings": len(ratings),
            "users": ratings.n_users,
            "items": ratings.n_items,
            **({"implicit": True} if ratings.implicit else {}),
        },
        "split": {
            "protocol": split.config.protocol,
            "name": split_name(split.config),
            "hash": split.hash,
            "train": len(split.train),
            "validation": len(split.validation),
            "test": len(split.test),
        },
    }


def _fitted_event(recommender: Model, result: FitResult) -> dict[str, Any]:
    return {
        "best_epoch": result.best_epoch,
        "stopped_because": result.stopped_because,
        "seconds": result.seconds,
        "convergence": asdict(result.convergence) if result.convergence else None,
        "parameters": recommender.n_parameters,
    }


def _reason(exc: BaseException) -> str:
    if isinstance(exc, KeyboardInterrupt):
        return "interrupted"
    if isinstance(exc, RecsysError):
        return str(exc)
    return " ".join(f"{type(exc).__name__}: {exc}".split())[:500]
