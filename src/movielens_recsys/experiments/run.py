"""Executing an experiment: data, split, fit, evaluation, bundle and report, each step an event."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits import Split, make_split, protocol_name
from movielens_recsys.errors import (
    CheckpointError,
    ExperimentError,
    RecsysError,
    StorageError,
    TrainingStopped,
)
from movielens_recsys.evaluation.evaluate import evaluate
from movielens_recsys.evaluation.metrics import HELD_OUT
from movielens_recsys.evaluation.report import Report
from movielens_recsys.experiments.artifacts import BIAS_ROW, Outcome, save
from movielens_recsys.experiments.config import ExperimentConfig
from movielens_recsys.experiments.contingencies import fit_watched
from movielens_recsys.experiments.events import EventWriter
from movielens_recsys.experiments.locks import writing
from movielens_recsys.experiments.provenance import describe
from movielens_recsys.experiments.pulse import Pulse
from movielens_recsys.experiments.record import fold
from movielens_recsys.experiments.registry import check_runnable, folder_of, load_config, start
from movielens_recsys.experiments.targets import gate
from movielens_recsys.experiments.watch import own_warnings
from movielens_recsys.models.base import Model
from movielens_recsys.models.catalogue import build
from movielens_recsys.models.config import UserItemBiasConfig
from movielens_recsys.models.neural import NeuralRecommender
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

    Raises
    ------
    ExperimentError
        The experiment is finished or another process runs it.
    TrainingStopped
        ``stop`` said so; the run is recorded as stopped, and so it is after Ctrl-C, a disk that refuses
        and memory that is not there: it can be resumed once that has passed.
    RecsysError
        Whatever else ended the run; it is then recorded as failed, with the reason.
    """
    config = load_config(run_id, settings)
    with writing(run_id, settings) as writer, own_warnings(warn):
        run, checkpoints = fold(run_id, writer.events), folder_of(run_id, settings) / "checkpoints"
        check_runnable(run, resume=resume)
        if not resume:  # before the log begins anew, so that no later resumption joins an old training to it
            shutil.rmtree(checkpoints, ignore_errors=True)
        start(run, writer, describe(config), resume=resume)
        started = time.monotonic()
        try:
            split = prepare(config, settings)
            writer.append("data", data_event(split))
            with Pulse(checkpoints.parent, writer) as pulse:
                recommender, result = fit_watched(
                    run_id,
                    config,
                    split,
                    writer,
                    warn=warn,
                    callbacks=[_EpochEvents(writer), pulse, *callbacks],
                    checkpoint_folder=checkpoints,
                    devices=devices,
                    resume=resume,
                    stop=stop,
                    memory_share=pulse.memory_share,
                )
            writer.append("fitted", _fitted_event(recommender, result))
            outcome = _conclude(run_id, config, settings, writer, split, recommender)
            writer.append("completed", {"seconds": time.monotonic() - started})
        except BaseException as exc:  # Ctrl-C too ends the run, and is recorded
            kind = "stopped" if isinstance(exc, _PASSING) else "failed"
            with suppress(StorageError, ExperimentError):
                writer.append(kind, {"reason": _reason(exc), "seconds": time.monotonic() - started})
            raise
        return replace(outcome, run=fold(run_id, writer.events))


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
) -> Outcome:
    """Judge the fitted model, hold it against the targets and write what the run leaves behind."""
    reports = _judge(recommender, split, config)
    for part, report in reports.items():
        writer.append("evaluated", _evaluated_event(part, report))
    figures = fold(run_id, writer.events).figures
    writer.append("gate", {"targets": gate(config.targets, figures, config.split.protocol)})
    run = fold(run_id, writer.events)
    outcome = Outcome(run, config, split, recommender, reports, folder_of(run_id, settings))
    save(outcome)
    return outcome


def prepare(config: ExperimentConfig, settings: Settings) -> Split:
    """Load the experiment's ratings and divide them."""
    return make_split(load_ratings(config.data.path or config.data.name, settings), config.split)


def _judge(recommender: Model, split: Split, config: ExperimentConfig) -> dict[str, Report]:
    """Evaluate on validation, where it has rows, and once on test, beside the user+item bias."""
    references = {BIAS_ROW: build(UserItemBiasConfig(), split.part("train"))}
    parts: list[Literal["validation", "test"]] = ["test"]
    if len(split.validation):
        parts.insert(0, "validation")
    return {
        part: evaluate(recommender, split, part=part, config=config.evaluation, references=references)
        for part in parts
    }


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
        "parameters": count_parameters(recommender),
    }


def _evaluated_event(part: str, report: Report) -> dict[str, Any]:
    """Return the report's figures by flat names: rmse, ndcg_at_10_full, ..."""
    figures = {}
    for figure in report.figures:
        protocol = "" if figure.protocol == HELD_OUT else f"_{figure.protocol}"
        name = f"{figure.metric.replace('@', '_at_')}{protocol}"
        figures[name] = {"value": figure.value, "low": figure.low, "high": figure.high}
    return {"part": part, "k": report.k, "relevant_from": report.relevant_from, "figures": figures}


def count_parameters(recommender: Model) -> int:
    """Return how many numbers a neural recommender learns; 0 for a model solved in closed form."""
    if not isinstance(recommender, NeuralRecommender):
        return 0
    return sum(parameter.numel() for parameter in recommender.network.parameters())


def _reason(exc: BaseException) -> str:
    if isinstance(exc, KeyboardInterrupt):
        return "interrupted"
    if isinstance(exc, RecsysError):
        return str(exc)
    return " ".join(f"{type(exc).__name__}: {exc}".split())[:500]
