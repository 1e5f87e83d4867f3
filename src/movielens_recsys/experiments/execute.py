"""Executing an experiment: data, split, fit, evaluation, bundle and report, each step an event.

What can be known before the run goes on is found before its first event: data that are away or have changed
leave the run as it was. The fitted model is saved before it is evaluated, so that a fault in the evaluation
costs the evaluation alone, and so does a kill.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from movielens_recsys.errors import (
    BundleError,
    CapReachedError,
    ExperimentError,
    ModelError,
    RecsysError,
    SourceError,
    StorageError,
    TrainingStopped,
    UnstableTrainingError,
)
from movielens_recsys.experiments.artifacts import BIAS_ROW, CompletedRun, save_fitted, save_reports
from movielens_recsys.experiments.evaluate_run import evaluate_run, evaluated_event
from movielens_recsys.experiments.notices import notices
from movielens_recsys.experiments.recovery import fit_with_recovery
from movielens_recsys.experiments.requirements import check_run
from movielens_recsys.experiments.run_data import RunData, load_run_data
from movielens_recsys.experiments.targets import check_targets
from movielens_recsys.experiments.warning_monitor import forward_warnings
from movielens_recsys.models.base import Model
from movielens_recsys.models.bundle import load_bundle
from movielens_recsys.runs import events
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.cost import CostGuard, apply_cap
from movielens_recsys.runs.event_writer import EventWriter, hold_run
from movielens_recsys.runs.heartbeat import Heartbeat
from movielens_recsys.runs.provenance import provenance_of
from movielens_recsys.runs.refusal import clear_refusal, record_refusal
from movielens_recsys.runs.replay import replay
from movielens_recsys.runs.runtime import RuntimeMeter, seconds_of
from movielens_recsys.runs.store import load_config
from movielens_recsys.runs.transitions import check_evaluable, check_runnable, start_run
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings
from movielens_recsys.training.history import EpochMetrics, FitResult, TrainingCallback
from movielens_recsys.training.session import DEFAULT_SESSION, TrainingSession

FINAL_ERRORS = (UnstableTrainingError, ModelError)
"""What comes again whenever the run is resumed: a training that no remedy steadies, and a model that its own
configuration keeps from being fitted to these data. Only these, and none of their subclasses, fail a run."""
PASSING_ERRORS = (SourceError, OSError)
"""Refusals that may pass by themselves: a disk that is not mounted yet, a network that is down."""


def execute(
    run_id: str,
    settings: Settings,
    session: TrainingSession = DEFAULT_SESSION,
    *,
    warn: Callable[[str], None] = lambda message: None,
    cap_usd: float | None = None,
    force: bool = False,
    evaluation: Mapping[str, Any] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> CompletedRun:
    """Run a planned experiment to its end; every step is on disk before the next begins.

    A resumed run whose training is complete is only evaluated. Trackers and notifications follow the run by
    reading its log (`tracking.processes`, `notify`).

    Parameters
    ----------
    session
        Callbacks beside the event log, the number of devices, whether to resume a run that was stopped or
        whose process died, and a function that stops it. Checkpoints go to the run's folder.
    warn
        Receives one line for each early warning.
    cap_usd
        A new cap on the cost of all attempts, from now on.
    force
        Resume also a run whose failure is final.
    evaluation
        Only evaluate a run whose training is complete, with these changes to the configured evaluation.
    clock
        Returns the seconds that the run is charged for; it never runs backwards.

    Raises
    ------
    ExperimentError
        The experiment is finished, another process runs it, or its data are no longer those that it began
        with. The run is as it was.
    SourceError
        The data cannot be reached. The run is as it was.
    CapReachedError
        The run has spent its cap: in training it is stopped after the step that did, and saved. An
        evaluation that has begun is finished.
    TrainingStopped
        ``session.stop`` returned True. The run is recorded as stopped and can be resumed. The same holds
        for every other error that is not final.
    RecsysError
        One of `FINAL_ERRORS`: the run is recorded as failed, with the reason.
    """
    with _attempt(run_id, settings, session, warn, cap_usd, force, evaluation, clock) as attempt:
        recommender = _fitted_model(attempt) if session.resume else None
        if recommender is None:
            recommender = _fit(attempt, session)
        attempt.cost_guard.check()
        completed = _conclude(attempt, recommender)
    return replace(completed, run=attempt.writer.run)


@dataclass(frozen=True, eq=False)
class _Attempt:
    """One attempt that has begun: what it works on, its log, and the guard of its cost."""

    config: ExperimentConfig
    folder: Path
    data: RunData
    writer: EventWriter
    cost_guard: CostGuard
    warn: Callable[[str], None]


@contextmanager
def _attempt(
    run_id: str,
    settings: Settings,
    session: TrainingSession,
    warn: Callable[[str], None],
    cap_usd: float | None,
    force: bool,
    evaluation: Mapping[str, Any] | None,
    clock: Callable[[], float],
) -> Iterator[_Attempt]:
    """Hold the run, load its data, count its time, and log the start and the end of the attempt."""
    config, resume = load_config(run_id, settings), session.resume
    with hold_run(run_id, settings) as folder, forward_warnings(warn):
        log = folder / events.FILE_NAME
        run = replay(run_id, events.read_events(log))
        if evaluation is not None:
            check_evaluable(run, evaluation)
        check_runnable(run, resume=resume, force=force)
        changes = evaluation or {}
        config = config.with_evaluation({**run.evaluation, **changes} if resume else {})
        run = apply_cap(replace(run, seconds=seconds_of(run, folder, warn)), cap_usd)
        with RuntimeMeter(folder, run.seconds, clock=clock, warn=warn) as meter:
            with _recorded_refusals(folder):
                data = load_run_data(run, config, settings)
                check_run(run, config, data.split, resume=resume, n_devices=session.devices)
            with EventWriter(log, lambda: meter.seconds) as writer:
                if not resume:
                    # Before the new start is logged: a crash in between must not leave files of the old
                    # attempt under the log of the new one, where a later resumption would join the two.
                    for name in ("checkpoints", "bundle"):
                        shutil.rmtree(folder / name, ignore_errors=True)
                raised = {} if cap_usd is None else {"cap_usd": cap_usd}
                changed = {"evaluation": dict(changes)} if changes else {}
                start_run(
                    run, writer, {**provenance_of(config), **raised, **changed}, resume=resume, force=force
                )
                clear_refusal(folder)
                attempt = _Attempt(config, folder, data, writer, CostGuard(run, meter), warn)
                try:
                    writer.append("data", data.event)
                    attempt.cost_guard.check()
                    yield attempt
                    writer.append("completed", {})
                except BaseException as exc:  # Ctrl-C too ends the attempt, and is recorded
                    _record_end(attempt, exc)
                    raise


@contextmanager
def _recorded_refusals(folder: Path) -> Iterator[None]:
    """Keep the reason of an error that comes before the first event, for `show` and the supervisor."""
    try:
        yield
    except Exception as exc:
        if not isinstance(exc, TrainingStopped):
            record_refusal(folder, _reason(exc), passing=isinstance(exc, PASSING_ERRORS))
        raise


def _record_end(attempt: _Attempt, exc: BaseException) -> None:
    """Log that an error ended the attempt: for good only if it comes again whenever the run is resumed."""
    run, guard = attempt.writer.run, attempt.cost_guard
    if run.state is RunState.COMPLETED:  # a signal that came after the last event
        return
    final = type(exc) in FINAL_ERRORS and not run.fitted
    data: dict[str, Any] = {"reason": _reason(exc)}
    if final:
        data["final"] = True
    if isinstance(exc, CapReachedError):
        data.update(cap_usd=guard.run.cap_usd, spent_usd=guard.run.spent_usd)
    # The disk that refused, or the process that took the run over, may refuse this event too; the first error
    # is the one to report.
    with suppress(StorageError, ExperimentError):
        attempt.writer.append("failed" if final else "stopped", data)


class _EpochEvents(TrainingCallback):
    """Writes each epoch to the log."""

    def __init__(self, writer: EventWriter) -> None:
        self._writer = writer

    def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
        """Write the finished epoch."""
        self._writer.append("epoch", {**record.to_json(), "improved": improved})


def _fit(attempt: _Attempt, session: TrainingSession) -> Model:
    """Fit the model and save it."""
    split, writer, guard = attempt.data.split, attempt.writer, attempt.cost_guard
    for notice in notices(attempt.config, split):
        attempt.warn(notice)
    try:
        with Heartbeat(attempt.folder, writer) as heartbeat:
            training_session = replace(
                session,
                # The event first: a callback may raise, and the epoch must be in the log by then.
                callbacks=[_EpochEvents(writer), heartbeat, *session.callbacks],
                checkpoint_folder=attempt.folder / "checkpoints",
                stop=lambda: guard.at_cap or session.stop(),
                ensure_owner=writer.ensure_owner,
            )
            recommender, result = fit_with_recovery(
                attempt.config,
                split,
                writer,
                training_session,
                warn=attempt.warn,
                memory_share=heartbeat.memory_share,
            )
    except TrainingStopped:
        guard.check()
        raise
    writer.ensure_owner()
    save_fitted(recommender, split, writer.run, attempt.folder)
    writer.append("fitted", _fitted_event(recommender, result))
    return recommender


def _fitted_model(attempt: _Attempt) -> Model | None:
    """Return the saved model of a run whose training is complete; None if it must be trained on."""
    run, ratings = attempt.writer.run, attempt.data.split.ratings
    if not run.fitted:
        return None
    try:
        bundle = load_bundle(attempt.folder / "bundle")
        bundle.check_ids(ratings)
    except BundleError as exc:
        attempt.warn(f"{exc.found}; going on from the last checkpoint")
        return None
    return bundle.recommender


def _conclude(attempt: _Attempt, recommender: Model) -> CompletedRun:
    """Evaluate the fitted model, compare it with the targets and write the reports."""
    config, writer, split = attempt.config, attempt.writer, attempt.data.split
    reports = evaluate_run(recommender, split, config, {BIAS_ROW: attempt.data.bias})
    for part, report in reports.items():
        writer.append("evaluated", evaluated_event(part, report))
    writer.append("gate", {"targets": check_targets(config, writer.run.metrics)})
    completed = CompletedRun(writer.run, config, split, recommender, reports, attempt.folder)
    save_reports(completed)
    return completed


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
