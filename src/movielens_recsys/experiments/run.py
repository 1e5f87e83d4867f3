"""Executing an experiment: data, split, fit, evaluation, bundle and report, each step an event."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits import Split, make_split, protocol_name
from movielens_recsys.errors import RecsysError, StorageError
from movielens_recsys.evaluation.evaluate import evaluate
from movielens_recsys.evaluation.metrics import HELD_OUT
from movielens_recsys.evaluation.report import Report
from movielens_recsys.experiments.config import ExperimentConfig
from movielens_recsys.experiments.events import EventWriter
from movielens_recsys.experiments.provenance import describe
from movielens_recsys.experiments.record import Run, fold
from movielens_recsys.experiments.registry import config_hash, folder_of, load, load_config, start, writing
from movielens_recsys.experiments.targets import gate
from movielens_recsys.experiments.tracking import TrackingCopy
from movielens_recsys.models.base import Model
from movielens_recsys.models.bundle import save_bundle
from movielens_recsys.models.catalogue import build
from movielens_recsys.models.config import UserItemBiasConfig
from movielens_recsys.models.neural import NeuralRecommender
from movielens_recsys.settings import Settings
from movielens_recsys.storage import write_atomically
from movielens_recsys.training.loop import fit
from movielens_recsys.training.records import EpochRecord, FitResult, TrainingCallback

BIAS_ROW = "user+item bias"
_TIMED_STEPS = 4


@dataclass(frozen=True, eq=False)
class Outcome:
    """A completed run with what it made; ``reports`` by part: validation (if it has rows) and test."""

    run: Run
    config: ExperimentConfig
    split: Split
    recommender: Model
    reports: dict[str, Report]
    folder: Path


def execute(
    run_id: str,
    settings: Settings,
    *,
    callbacks: Sequence[TrainingCallback] = (),
    warn: Callable[[str], None] = lambda message: None,
) -> Outcome:
    """Run a planned experiment to its end; every step is on disk before the next begins.

    Parameters
    ----------
    callbacks
        Receive the progress of training beside the event log.
    warn
        Receives one line where something beside the run failed, such as the tracking copy.

    Raises
    ------
    ExperimentError
        The experiment is finished or another process runs it.
    RecsysError
        Whatever stopped the run; the run is then recorded as failed, with the reason.
    """
    config = load_config(run_id, settings)
    with writing(run_id, settings) as writer:
        start(fold(run_id, writer.events), writer, describe(config))
        started = time.monotonic()
        tracking = TrackingCopy(run_id, settings, warn)
        try:
            outcome = _steps(run_id, config, settings, writer, [_EpochEvents(writer, tracking), *callbacks])
            writer.append("completed", {"seconds": time.monotonic() - started})
        except BaseException as exc:  # Ctrl-C too ends the run, and is recorded
            with suppress(StorageError):
                writer.append("failed", {"reason": _reason(exc), "seconds": time.monotonic() - started})
            raise
        finally:
            tracking.refresh(now=True)
        return replace(outcome, run=fold(run_id, writer.events))


class _EpochEvents:
    """Writes each epoch to the log, and then to the tracking copy if that is due."""

    def __init__(self, writer: EventWriter, tracking: TrackingCopy) -> None:
        self._writer = writer
        self._tracking = tracking

    def on_epoch(self, record: EpochRecord, *, improved: bool) -> None:
        """Write the finished epoch."""
        self._writer.append("epoch", {**record.to_json(), "improved": improved})
        self._tracking.refresh()

    def on_step(self, epoch: int, step: int, steps: int) -> None:
        """Pass over single steps."""


def _steps(
    run_id: str,
    config: ExperimentConfig,
    settings: Settings,
    writer: EventWriter,
    callbacks: Sequence[TrainingCallback],
) -> Outcome:
    folder = folder_of(run_id, settings)
    split = _prepare(config, settings)
    writer.append("data", _data_event(split))
    recommender, result = fit(
        config.model, config.training, split, callbacks=callbacks, checkpoint_folder=folder / "checkpoints"
    )
    writer.append("fitted", _fitted_event(recommender, result))
    reports = _judge(recommender, split, config)
    for part, report in reports.items():
        writer.append("evaluated", _evaluated_event(part, report))
    figures = fold(run_id, writer.events).figures
    writer.append("gate", {"targets": gate(config.targets, figures, config.split.protocol)})
    run = fold(run_id, writer.events)
    _save(run, config, split, recommender, reports, folder)
    return Outcome(run, config, split, recommender, reports, folder)


def _prepare(config: ExperimentConfig, settings: Settings) -> Split:
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


def _save(
    run: Run,
    config: ExperimentConfig,
    split: Split,
    recommender: Model,
    reports: dict[str, Report],
    folder: Path,
) -> None:
    values = {part: report.to_json() for part, report in reports.items()}
    write_atomically(folder / "report.json", (json.dumps(values, indent=1) + "\n").encode())
    for part, report in reports.items():
        if report.per_user is not None:
            report.per_user.save(folder / f"per_user_{part}.npz")
    metadata = {
        "run": run.id,
        "config_hash": config_hash(config),
        "data_hash": split.ratings.content_hash,
        "split_hash": split.hash,
        "code": run.provenance["code"],
        "figures": run.to_json()["figures"],
    }
    save_bundle(recommender, split.ratings, folder / "bundle", metadata)


def _data_event(split: Split) -> dict[str, Any]:
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


def rehearse(run_id: str, settings: Settings) -> dict[str, Any]:
    """Return what running the experiment would do; the experiment stays as it is.

    Data are loaded and split as the run would, and a few optimiser steps are timed for the estimate
    ``seconds_at_most``, in which all epochs run. None of it is kept.

    Raises
    ------
    RecsysError
        What would stop the run before its first epoch.
    """
    run, config = load(run_id, settings), load_config(run_id, settings)
    split = _prepare(config, settings)
    recommender = build(config.model, split.part("train"), config.training.seed)
    training = config.training
    steps = -(-len(split.train) // training.batch_size)
    neural = isinstance(recommender, NeuralRecommender)
    return {
        "id": run_id,
        "state": run.state,
        **_data_event(split),
        "model": config.model.model_dump(mode="json"),
        "parameters": count_parameters(recommender),
        "epochs_at_most": training.epochs if neural else 0,
        "steps_an_epoch": steps if neural else 0,
        "seconds_at_most": _seconds_a_step(config, split) * steps * training.epochs if neural else 0.0,
        "targets": config.targets.model_dump(mode="json", exclude_none=True),
    }


def _seconds_a_step(config: ExperimentConfig, split: Split) -> float:
    """Time one epoch over a few batches of the training rows."""
    size = config.training.batch_size
    small = replace(split, train=split.train[: _TIMED_STEPS * size], validation=split.validation[:size])
    training = config.training.model_copy(update={"epochs": 1, "early_stopping": None})
    _, result = fit(config.model, training, small)
    return result.seconds / -(-len(small.train) // size)
