"""Executing an experiment: data, split, fit, evaluation, bundle and report, each step an event."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from typing import Any

from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits import Split, make_split, protocol_name
from movielens_recsys.errors import (
    CapReachedError,
    CheckpointError,
    ExperimentError,
    RecsysError,
    StorageError,
    TrainingStopped,
)
from movielens_recsys.experiments.artifacts import BIAS_ROW, Outcome, save
from movielens_recsys.experiments.config import ExperimentConfig
from movielens_recsys.experiments.contingencies import fit_watched
from movielens_recsys.experiments.events import EventWriter
from movielens_recsys.experiments.judging import evaluated_event, judge, validation_rmse
from movielens_recsys.experiments.locks import writing
from movielens_recsys.experiments.meter import Meter, seconds_of
from movielens_recsys.experiments.provenance import describe
from movielens_recsys.experiments.pulse import Pulse
from movielens_recsys.experiments.record import fold
from movielens_recsys.experiments.registry import check_runnable, folder_of, load_config, start
from movielens_recsys.experiments.spending import Spending, agree_on_cap
from movielens_recsys.experiments.targets import gate
from movielens_recsys.experiments.watch import own_warnings
from movielens_recsys.models.base import Model
from movielens_recsys.models.catalogue import build
from movielens_recsys.models.config import UserItemBiasConfig, needing_times
from movielens_recsys.models.neural import NeuralRecommender
from movielens_recsys.models.stars_and_lists import StarsAndLists
from movielens_recsys.settings import Settings
from movielens_recsys.training.records import EpochRecord, FitResult, TrainingCallback


def execute(
    run_id: str,
    settings: Settings,
    *,
    callbacks: Sequence[TrainingCallback] = (),
    warn: Callable[[str], None] = lambda message: None,
    devices: int = 1,
    resume: bool = False,
    stop: Callable[[], bool] = lambda: False,
    cap_usd: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Run a planned experiment to its end; every step is on disk before the next begins.

    Whoever copies or tells what happens reads it from the log (`sinks.live`, `notify`).

    Parameters
    ----------
    callbacks
        Receive the progress of training beside the event log.
    warn
        Receives one line for each early warning.
    devices
        GPUs, or processes on the CPU, to divide each batch among.
    resume
        Go on from the last checkpoint with a run that was stopped or whose process died.
    stop
        Asked after every optimiser step; once it says True, the run is saved and stopped.
    cap_usd
        From now on, what the run may cost altogether.
    clock
        Tells the seconds that the run is charged for; it never runs backwards.

    Raises
    ------
    ExperimentError
        The experiment is finished or another process runs it.
    CapReachedError
        The run has spent its cap: in training it is stopped after the step that did, and saved. An
        evaluation that has begun is finished.
    TrainingStopped
        ``stop`` said so; the run is recorded as stopped, and so it is at its cap, after Ctrl-C, a disk that
        refuses and memory that is not there: it can be resumed once that has passed.
    RecsysError
        Whatever else ended the run; it is then recorded as failed, with the reason.
    """
    config, folder = load_config(run_id, settings), folder_of(run_id, settings)
    with _attempt(run_id, config, settings, warn, resume, cap_usd, clock) as (writer, spending):
        split = prepare(config, settings)
        idle = needing_times(config.model) if split.ratings.timestamps is None else ()
        if idle:
            warn(f"the ratings have no times: {', '.join(idle)} of the model do nothing")
        bias = build(UserItemBiasConfig(), split.part("train"))
        writer.append("data", {**data_event(split), "bias_val_rmse": validation_rmse(bias, split)})
        spending.check()
        try:
            with Pulse(folder, writer) as pulse:
                recommender, result = fit_watched(
                    run_id,
                    config,
                    split,
                    writer,
                    warn=warn,
                    callbacks=[_EpochEvents(writer), pulse, *callbacks],
                    checkpoint_folder=folder / "checkpoints",
                    devices=devices,
                    resume=resume,
                    stop=lambda: spending.at_cap or stop(),
                    memory_share=pulse.memory_share,
                )
        except TrainingStopped:
            spending.check()
            raise
        writer.append("fitted", _fitted_event(recommender, result))
        spending.check()
        outcome = _conclude(run_id, config, settings, writer, split, recommender, {BIAS_ROW: bias})
    return replace(outcome, run=fold(run_id, writer.events))


@contextmanager
def _attempt(
    run_id: str,
    config: ExperimentConfig,
    settings: Settings,
    warn: Callable[[str], None],
    resume: bool,
    cap_usd: float | None,
    clock: Callable[[], float],
) -> Iterator[tuple[EventWriter, Spending]]:
    """Hold the run, let its meter count, and log how the attempt begins and how it ends."""
    folder = folder_of(run_id, settings)
    with writing(run_id, settings) as writer, own_warnings(warn):
        run = fold(run_id, writer.events)
        check_runnable(run, resume=resume)
        run.seconds = seconds_of(run, folder, warn)
        agree_on_cap(run, cap_usd)
        if not resume:  # before the log begins anew, so that no later resumption joins an old training to it
            shutil.rmtree(folder / "checkpoints", ignore_errors=True)
        with Meter(folder, run.seconds, clock=clock, warn=warn) as meter:
            writer.stamp = lambda: {"run_seconds": meter.seconds}
            raised = {} if cap_usd is None else {"cap_usd": cap_usd}
            start(run, writer, {**describe(config), **raised}, resume=resume)
            try:
                yield writer, Spending(run, meter)
                writer.append("completed", {})
            except BaseException as exc:  # Ctrl-C too ends the run, and is recorded
                kind = "stopped" if isinstance(exc, _PASSING) else "failed"
                money = {"cap_usd": run.cap_usd, "spent_usd": run.spent_usd}
                why = {"reason": _reason(exc), **(money if isinstance(exc, CapReachedError) else {})}
                with suppress(StorageError, ExperimentError):
                    writer.append(kind, why)
                raise


_PASSING = (TrainingStopped, CheckpointError, KeyboardInterrupt, StorageError, OSError, MemoryError)
"""What ends a run through no fault of the experiment: it is saved, and can be resumed."""


class _EpochEvents(TrainingCallback):
    """Writes each epoch to the log."""

    def __init__(self, writer: EventWriter) -> None:
        self._writer = writer

    def on_epoch(self, record: EpochRecord, *, improved: bool) -> None:
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
) -> Outcome:
    """Judge the fitted model, hold it against the targets and write what the run leaves behind."""
    reports = judge(recommender, split, config, references)
    for part, report in reports.items():
        writer.append("evaluated", evaluated_event(part, report))
    figures = fold(run_id, writer.events).figures
    writer.append("gate", {"targets": gate(config.targets, figures, config.split.protocol)})
    run = fold(run_id, writer.events)
    outcome = Outcome(run, config, split, recommender, reports, folder_of(run_id, settings))
    save(outcome)
    return outcome


def prepare(config: ExperimentConfig, settings: Settings) -> Split:
    """Load the experiment's ratings and divide them."""
    return make_split(load_ratings(config.data.path or config.data.name, settings), config.split)


def data_event(split: Split) -> dict[str, Any]:
    """Return what the ``data`` event says of a split and the ratings under it."""
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
        },
        "split": {
            "protocol": split.config.protocol,
            "name": protocol_name(split.config),
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
        "parameters": count_parameters(recommender),
    }


def count_parameters(recommender: Model) -> int:
    """Return how many numbers a neural recommender, or its model of stars, learns; 0 for any other."""
    if isinstance(recommender, StarsAndLists):
        return count_parameters(recommender.stars)
    if not isinstance(recommender, NeuralRecommender):
        return 0
    return sum(parameter.numel() for parameter in recommender.network.parameters())


def _reason(exc: BaseException) -> str:
    if isinstance(exc, KeyboardInterrupt):
        return "interrupted"
    if isinstance(exc, RecsysError):
        return str(exc)
    return " ".join(f"{type(exc).__name__}: {exc}".split())[:500]
