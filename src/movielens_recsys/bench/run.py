"""Running the bench: every entrant on every task, a process at a time, each outcome kept before the next."""

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
from movielens_recsys.bench.tasks import EVERY_RATING, Task
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.splits.split import Split, make_split, split_name
from movielens_recsys.errors import BenchError, DataError, EvaluationError
from movielens_recsys.experiments.overrides import config_from_clone, config_from_template
from movielens_recsys.locks import lock
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.provenance import code_version, environment
from movielens_recsys.settings import Settings

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How the cells are run.

    ``limit_s`` is how long one may take, ``retry`` whether those that failed are tried again, ``threads`` how
    many each process may use.
    """

    seed: int = 0
    threads: int = 1
    limit_s: float = 10_800.0
    retry: bool = False


@dataclass(frozen=True, slots=True)
class _Job:
    """One cell to be: its key, the entrant, and the rows."""

    key: ResultKey
    entrant: BenchModel
    task: Task
    split: Split
    config: ExperimentConfig | None


def run(
    tasks: Sequence[Task], entrants: Sequence[BenchModel], settings: Settings, options: Options, tell: Tell
) -> list[BenchResult]:
    """Run every entrant on every task, and return the cells, failed ones among them.

    A cell that has an outcome is not run again. One that another process is running is left to it. A task
    whose data or split cannot be had is told and left out.

    Raises
    ------
    BenchError
        Not one of the tasks, or not one of the entrants, can be had.
    """
    outcomes: list[BenchResult] = []
    refused: list[str] = []
    for task, split in _splits(tasks, settings, tell, refused):
        data = data_of(split.ratings)
        for entrant in entrants:
            job = _job(task, split, data, entrant, settings, options, tell)
            cell = _outcome(job, settings, options, tell) if job else None
            if cell is not None:
                outcomes.append(cell)
    if refused and len(refused) == len(tasks):
        raise BenchError(f"none of the data can be had: {refused[0]}", next_step="see `recsys data list`")
    if entrants and not outcomes:
        raise BenchError("nothing was run or kept: all entrants were left out", next_step="see why above")
    return outcomes


def _splits(
    tasks: Sequence[Task], settings: Settings, tell: Tell, refused: list[str]
) -> Iterator[tuple[Task, Split]]:
    """Yield each task with its split, keeping one data set in memory at a time."""
    name, ratings = "", None
    for task in tasks:
        try:
            if ratings is None or task.data != name:
                name, ratings = task.data, load_ratings(task.data, settings)
            split = make_split(ratings, task.split)
        except DataError as exc:
            refused.append(str(exc))
            tell(f"{task.data}, {split_name(task.split)}: left out: {exc}")
            continue
        yield task, split


def _job(
    task: Task, split: Split, data: str, entrant: BenchModel, settings: Settings, options: Options, tell: Tell
) -> _Job | None:
    config = None
    try:
        if isinstance(entrant, Peer):
            values = entrant.settings(task.suite, len(split.ratings))
            code = code_of_peer(entrant)
        else:
            config = _own_config(entrant, task, split.ratings, options.seed)
            values = config.model_dump(mode="json", include={"model", "training"})
            code = code_of_model(config.model)
    except BenchError as exc:
        tell(f"{entrant.name}: left out: {exc}")
        return None
    threads = options.threads if task.suite == "speed" else None
    key = ResultKey(
        task.suite,
        entrant.name,
        options.seed,
        json.loads(json.dumps(values)),
        code,
        data,
        split.hash,
        task.relevance_threshold,
        threads,
    )
    return _Job(key, entrant, task, split, config)


def _own_config(own: OwnModel, task: Task, ratings: Ratings, seed: int) -> ExperimentConfig:
    config = config_from_template(own.template, "bench")
    if config.model.uses_positives and task.relevance_threshold == EVERY_RATING:  # as peers do
        config = config_from_clone(config, "bench", {"model": {"min_positive_rating": None}})
    for changes in (*own.modifications(task.suite, len(ratings)), {"training": {"seed": seed}}):
        config = config_from_clone(config, "bench", changes)
    return config_from_clone(config, "bench", {"split": task.split.model_dump(mode="json")})


def _outcome(job: _Job, settings: Settings, options: Options, tell: Tell) -> BenchResult | None:
    """Return the kept cell, or make it."""
    label = f"{job.task.data}, {split_name(job.task.split)}: {job.entrant.name}"
    folder = results.result_folder(job.key, settings)
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder) as held:
        if not held:
            tell(f"{label}: another process is running it")
            return None
        kept = results.find_result(job.key, settings)
        if kept is not None and (kept.failure is None or not options.retry):
            tell(f"{label}: {_in_words(kept)} (kept)")
            return kept
        tell(f"{label}: running")
        about = _about(job, options)
        try:
            cell = _make(job, folder / "job", about, settings, options)
        except (BenchError, EvaluationError) as exc:
            cell = results.save_failure(job.key, about, str(exc), settings)
        tell(f"{label}: {_in_words(cell)}")
        return cell


def _make(
    job: _Job, folder: Path, about: dict[str, Any], settings: Settings, options: Options
) -> BenchResult:
    described = _describe(job, settings)
    if not _answered(described, folder):
        command = _command(job.entrant, folder, settings)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        write_job(described, folder)
        if isinstance(job.entrant, Peer):
            write_rows(job.split, folder)
        seconds = run_child(command, folder, options.limit_s, options.threads)
    else:
        seconds = None
    answer = read_output(folder, job.split, lists=job.task.suite == "ranking")
    per_user = score_output(answer, job.split, job.task.relevance_threshold)
    about |= {"seconds": seconds, "validation_rmse": validation_rmse(answer, job.split)}
    return results.save_result(job.key, about, answer, per_user, settings)


def _answered(described: dict[str, Any], folder: Path) -> bool:
    """Whether a child has answered this very job, and the bench died before it could keep that."""
    try:
        json.loads((folder / "answer.json").read_text())
        return bool(json.loads((folder / "job.json").read_text()) == described)
    except (OSError, ValueError):
        return False


def _command(entrant: BenchModel, folder: Path, settings: Settings) -> list[str]:
    if isinstance(entrant, OwnModel):
        return [sys.executable, "-m", "movielens_recsys.bench.own_worker", str(folder)]
    interpreter = interpreter_for(entrant, settings)
    return [str(interpreter), "-I", "-B", runner.__file__, str(folder)]


def _describe(job: _Job, settings: Settings) -> dict[str, Any]:
    """Return the job in words for whoever does it."""
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
        assert isinstance(job.entrant, Peer)
        return {**common, "script": str(job.entrant.script)}
    return {
        **common,
        "config": job.config.model_dump(mode="json"),
        "data": task.data,
        "data_hash": ratings.content_hash,
        "split_hash": job.split.hash,
        "places": {"data": str(settings.data.resolve()), "data_path": settings.data_path},
    }


def _about(job: _Job, options: Options) -> dict[str, Any]:
    """Return what a reader of the table wants to know of a cell."""
    ratings, split, entrant = job.split.ratings, job.split, job.entrant
    peer = isinstance(entrant, Peer)
    passes = entrant.config.passes if isinstance(entrant, Peer) else None
    return {
        "kind": "peer" if peer else "own",
        "library": entrant.config.library if isinstance(entrant, Peer) else "MovieLens RecSys",
        "what": entrant.config.what if isinstance(entrant, Peer) else "",
        "given": list(entrant.config.given),
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


def _in_words(cell: BenchResult) -> str:
    if cell.failure is not None or cell.account is None:
        return f"failed: {cell.failure}"
    per_user = cell.per_user()
    total = per_user.aggregates.total()
    if cell.key.suite == "ranking":
        figure = float(total["full:precision"] / total["full:judged"])
        return f"P@{per_user.k} {figure:.4f}, fit {cell.account['fit_s']:.1f} s"
    rmse = float((total["squared"] / total["count"]) ** 0.5)
    return f"RMSE {rmse:.4f}, fit {cell.account['fit_s']:.1f} s"
