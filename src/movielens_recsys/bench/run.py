"""Running the bench: every model on every task, one process at a time, each result saved before the next."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import movielens_recsys
from movielens_recsys.bench import results
from movielens_recsys.bench.config import BenchModel, OwnModel, Peer
from movielens_recsys.bench.environments import interpreter_for
from movielens_recsys.bench.fingerprints import code_of_model, code_of_peer, data_of
from movielens_recsys.bench.jobs import LIST_LENGTH, read_output, write_job, write_rows
from movielens_recsys.bench.peers import runner
from movielens_recsys.bench.processes import run_child
from movielens_recsys.bench.results import BenchResult, ResultKey
from movielens_recsys.bench.scoring import score_output, validation_rmse
from movielens_recsys.bench.tasks import EVERY_RATING, Task, require_relevant
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.splits.split import Split, make_split, split_name
from movielens_recsys.errors import BenchError, ConfigError, DataError, EvaluationError
from movielens_recsys.experiments.overrides import config_from_clone, config_from_template
from movielens_recsys.experiments.requirements import check_fit
from movielens_recsys.locks import lock
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.provenance import code_version, environment
from movielens_recsys.settings import Settings

Announce = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How the models are run.

    ``limit_s`` is the time limit of each, ``retry`` whether failed ones run again, ``threads`` the number of
    threads of each process.
    """

    seed: int = 0
    threads: int = 1
    limit_s: float = 10_800.0
    retry: bool = False


@dataclass(frozen=True, slots=True)
class _Job:
    """One result to compute: its key, the model, and the rows."""

    key: ResultKey
    model: BenchModel
    task: Task
    split: Split
    config: ExperimentConfig | None


def run(
    tasks: Sequence[Task],
    models: Sequence[BenchModel],
    settings: Settings,
    options: Options,
    announce: Announce,
) -> list[BenchResult]:
    """Run every model on every task, and return the results, including failures.

    What has a result already is not run again, nor is what another process is running. A task whose data or
    split is not available is reported and skipped.

    Raises
    ------
    BenchError
        None of the tasks, or none of the models, can be run.
    """
    outcomes: list[BenchResult] = []
    unavailable: list[str] = []
    for task, split in _splits(tasks, settings, announce, unavailable):
        data = data_of(split.ratings)
        for model in models:
            job = _job(task, split, data, model, settings, options, announce)
            result = _find_or_compute(job, settings, options, announce) if job else None
            if result is not None:
                outcomes.append(result)
    if unavailable and len(unavailable) == len(tasks):
        raise BenchError(
            f"none of the data is available: {unavailable[0]}", next_step="see `recsys data list`"
        )
    if models and not outcomes:
        raise BenchError("no results: all models were skipped", next_step="see why above")
    return outcomes


def _splits(
    tasks: Sequence[Task], settings: Settings, announce: Announce, unavailable: list[str]
) -> Iterator[tuple[Task, Split]]:
    """Yield each task with its split, keeping one data set in memory at a time."""
    name, ratings = "", None
    for task in tasks:
        try:
            if ratings is None or task.data != name:
                name, ratings = task.data, load_ratings(task.data, settings)
            split = make_split(ratings, task.split)
            require_relevant(task, split)
        except (DataError, EvaluationError) as exc:
            unavailable.append(str(exc))
            announce(f"{task.data}, {split_name(task.split)}: skipped: {exc}")
            continue
        yield task, split


def _job(
    task: Task,
    split: Split,
    data: str,
    model: BenchModel,
    settings: Settings,
    options: Options,
    announce: Announce,
) -> _Job | None:
    config = None
    try:
        if isinstance(model, Peer):
            values = model.settings(task.suite, len(split.ratings))
            code = code_of_peer(model)
        else:
            config = _own_config(model, task, split.ratings, options.seed)
            check_fit(config.model, config.training, split)
            values = config.model_dump(mode="json", include={"model", "training"})
            code = code_of_model(config.model)
    except (BenchError, ConfigError) as exc:
        announce(f"{model.name}: skipped: {exc}")
        return None
    threads = options.threads if task.suite == "speed" else None
    key = ResultKey(
        task.suite,
        model.name,
        options.seed,
        json.loads(json.dumps(values)),
        code,
        data,
        split.hash,
        task.relevance_threshold,
        threads,
    )
    return _Job(key, model, task, split, config)


def _own_config(model: OwnModel, task: Task, ratings: Ratings, seed: int) -> ExperimentConfig:
    config = config_from_template(model.template, "bench")
    if config.model.uses_positives and task.relevance_threshold == EVERY_RATING:  # as peers do
        config = config_from_clone(config, "bench", {"model": {"min_positive_rating": None}})
    for changes in (*model.modifications(task.suite, len(ratings)), {"training": {"seed": seed}}):
        config = config_from_clone(config, "bench", changes)
    return config_from_clone(config, "bench", {"split": task.split.model_dump(mode="json")})


def _find_or_compute(
    job: _Job, settings: Settings, options: Options, announce: Announce
) -> BenchResult | None:
    """Return the saved result, or compute it."""
    label = f"{job.task.data}, {split_name(job.task.split)}: {job.model.name}"
    folder = results.result_folder(job.key, settings)
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder) as held:
        if not held:
            announce(f"{label}: another process is running it")
            return None
        saved = results.find_result(job.key, settings)
        if saved is not None and (saved.failure is None or not options.retry):
            announce(f"{label}: {_summary(saved)} (saved)")
            return saved
        announce(f"{label}: running")
        about = _about(job, options)
        try:
            result = _compute(job, folder / "job", about, settings, options)
        except (BenchError, EvaluationError) as exc:
            result = results.save_failure(job.key, about, str(exc), settings)
        announce(f"{label}: {_summary(result)}")
        return result


def _compute(
    job: _Job, folder: Path, about: dict[str, Any], settings: Settings, options: Options
) -> BenchResult:
    job_values = _job_values(job, settings)
    if not _has_output(job_values, folder):
        command = _command(job.model, folder, settings)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        write_job(job_values, folder)
        if isinstance(job.model, Peer):
            write_rows(job.split, folder)
        seconds = run_child(command, folder, options.limit_s, options.threads)
    else:
        seconds = None
    output = read_output(folder, job.split, lists=job.task.suite == "ranking")
    per_user = score_output(output, job.split, job.task.relevance_threshold)
    about |= {"seconds": seconds, "validation_rmse": validation_rmse(output, job.split)}
    return results.save_result(job.key, about, output, per_user, settings)


def _has_output(job_values: dict[str, Any], folder: Path) -> bool:
    """Whether this job's process had finished when the bench was killed before it saved the result."""
    try:
        json.loads((folder / "output.json").read_text())
        return bool(json.loads((folder / "job.json").read_text()) == job_values)
    except (OSError, ValueError):
        return False


def _command(model: BenchModel, folder: Path, settings: Settings) -> list[str]:
    if isinstance(model, OwnModel):
        return [sys.executable, "-m", "movielens_recsys.bench.own_worker", str(folder)]
    interpreter = interpreter_for(model, settings)
    return [str(interpreter), "-I", "-B", runner.__file__, str(folder)]


def _job_values(job: _Job, settings: Settings) -> dict[str, Any]:
    """Return the job as plain JSON values, for the process that runs it."""
    ratings, task = job.split.ratings, job.task
    scale = ratings.scale
    common = {
        "suite": task.suite,
        "seed": job.key.seed,
        "settings": job.key.settings,
        "n_users": ratings.n_users,
        "n_items": ratings.n_items,
        "scale": [scale.minimum, scale.maximum, scale.step],
        "k": LIST_LENGTH,
        "relevance_threshold": task.relevance_threshold,
    }
    if job.config is None:
        assert isinstance(job.model, Peer)
        return {**common, "script": str(job.model.script)}
    return {
        **common,
        "config": job.config.model_dump(mode="json"),
        "data": task.data,
        "data_hash": ratings.content_hash,
        "split_hash": job.split.hash,
        "data_folders": {"data": str(settings.data.resolve()), "data_path": settings.data_path},
    }


def _about(job: _Job, options: Options) -> dict[str, Any]:
    """Return the description of a result that the tables show."""
    ratings, split, model = job.split.ratings, job.split, job.model
    is_peer = isinstance(model, Peer)
    passes = model.config.passes if isinstance(model, Peer) else None
    return {
        "kind": "peer" if is_peer else "own",
        "library": model.config.library if isinstance(model, Peer) else "MovieLens RecSys",
        "what": model.config.what if isinstance(model, Peer) else "",
        "inputs": list(model.config.inputs),
        "passes": job.key.settings.get(passes) if passes else None,
        "threads": options.threads,
        "data": {
            "name": ratings.name,
            "hash": ratings.content_hash,
            "ratings": len(ratings),
            "users": ratings.n_users,
            "items": ratings.n_items,
        },
        "split": {
            "name": split_name(split.config),
            "config": split.config.model_dump(mode="json"),
            "hash": split.hash,
            **{part: len(split.rows(part)) for part in ("train", "validation", "test")},
        },
        "code": code_version(Path(movielens_recsys.__file__).parent),
        "machine": environment("cpu"),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _summary(result: BenchResult) -> str:
    if result.failure is not None or result.timings is None:
        return f"failed: {result.failure}"
    per_user = result.per_user()
    total = per_user.aggregates.total()
    if result.key.suite == "ranking":
        precision = float(total["full:precision"] / total["full:judged"])
        return f"P@{per_user.k} {precision:.4f}, fit {result.timings['fit_s']:.1f} s"
    rmse = float((total["squared"] / total["count"]) ** 0.5)
    return f"RMSE {rmse:.4f}, fit {result.timings['fit_s']:.1f} s"
