"""The runs on disk: one folder each, created whole.

    .recsys/runs/ID/config.json      the resolved configuration, written once
                    events.jsonl     all events, the only source of the state; see `events`, `replay`
                    meter.json       the time spent since the last event; see `runtime`
                    refused.json     why the last attempt could not begin; see `refusal`
                    checkpoints/, bundle/, report.json, report.html, per_user_PART.npz     results of the run

A new folder is filled under a hidden name and renamed to its id, which succeeds for one creator only:
a second run of the same name within the same second gets ``_2``, ``_3``, ... behind it. A process that is
killed in between leaves a hidden ``.new-*`` folder, which nothing reads.
"""

from __future__ import annotations

import errno
import gc
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from movielens_recsys.data.config import DEFAULT_NAME, name_at
from movielens_recsys.errors import (
    ConfigError,
    ExperimentError,
    RecsysError,
    StorageError,
    UnknownNameError,
    UsageError,
    shorten,
)
from movielens_recsys.files import sync_path, write_durably
from movielens_recsys.runs import events
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.events import new_event, read_events
from movielens_recsys.runs.refusal import read_refusal
from movielens_recsys.runs.replay import replay
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.runtime import seconds_of
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings

NAME_PATTERN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")
CONFIG_NAME = "config.json"
PLACEHOLDER = "_TIMESTAMP"
"""What may stand for the time in an id: NAME_TIMESTAMP is the newest experiment of that name."""
_STAMP = re.compile(r"(?P<time>\d{8}_\d{6})(_(?P<number>\d+))?")


def check_name(name: str) -> str:
    """Return ``name`` if it is a valid name of an experiment.

    Raises
    ------
    UsageError
        It is empty, longer than 80 characters, or holds anything but letters, digits, ``_``, ``-`` and ``.``.
    """
    if NAME_PATTERN.fullmatch(name):
        return name
    if len(name) > 80 and NAME_PATTERN.match(name[:80]):
        found, expected = f" has {len(name)} characters", "at most 80"
    elif name[:1] in {"-", "."}:
        found, expected = f" starts with {name[0]!r}", "a letter, a digit or '_' first"
    else:
        found, expected = " cannot be the name of an experiment", "1 to 80 letters, digits, '_', '-' or '.'"
    raise UsageError(
        f"{shorten(name)!r}{found}",
        expected=expected,
        next_step="choose another name, for example my_first_run",
    )


def create_run(
    config: ExperimentConfig, settings: Settings, findings: Sequence[Mapping[str, Any]] = ()
) -> Run:
    """Plan an experiment: give it an id and a folder with its configuration; record its preflight findings.

    A relative path of data is kept as an absolute one, so that the run may go on from any working folder.

    Raises
    ------
    UsageError
        The name cannot be an experiment's.
    StorageError
        The disk refused; nothing is left behind.
    """
    from movielens_recsys.data.sources.location import locate_data  # polars, which listing does without

    check_name(config.name)
    config = config.model_copy(update={"data": config.data.with_absolute_path()})
    location = str(locate_data(config.data, settings) or "")
    values = {**_created_event(config), "location": location, "findings": list(findings)}
    event = new_event(1, "created", values)
    text = json.dumps(config.model_dump(mode="json"), indent=2) + "\n"
    hidden: Path | None = None
    try:
        settings.runs.mkdir(parents=True, exist_ok=True)
        hidden = Path(tempfile.mkdtemp(prefix=".new-", dir=settings.runs))
        hidden.chmod(0o755)
        write_durably(hidden / CONFIG_NAME, text.encode())
        write_durably(hidden / events.FILE_NAME, event.to_line())
        sync_path(hidden)
        run_id = _claim(hidden, config.name, settings.runs)
        sync_path(settings.runs)
    except OSError as exc:
        if hidden is not None:
            shutil.rmtree(hidden, ignore_errors=True)
        raise StorageError(
            f"cannot create the experiment in {settings.runs} ({exc.strerror})",
            next_step="free space or permissions there, or set RECSYS_HOME to another folder",
        ) from exc
    return replay(run_id, [event])


def _created_event(config: ExperimentConfig) -> dict[str, Any]:
    return {
        "name": config.name,
        "template": config.template,
        "description": config.description,
        "tags": list(config.tags),
        "model": config.model.name,
        "config_hash": config_hash(config),
        **config.resources.model_dump(),
    }


def config_hash(config: ExperimentConfig) -> str:
    """Return the SHA-256 of all that decides the metrics: no name, target, warning, tracker or price."""
    undecisive = {
        "name",
        "template",
        "description",
        "tags",
        "targets",
        "early_warnings",
        "contingencies",
        "tracking",
        "resources",
    }
    values = config.model_dump(mode="json", by_alias=True, exclude=undecisive)
    if config.data.path is not None and config.data.name == name_at(config.data.path):
        values["data"]["name"] = DEFAULT_NAME  # the name was not given, and is hashed as before it was set
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _claim(hidden: Path, name: str, runs: Path) -> str:
    stem = f"{name}_{datetime.now(UTC):%Y%m%d_%H%M%S}"
    number = 1
    while True:
        run_id = stem if number == 1 else f"{stem}_{number}"
        try:
            hidden.rename(runs / run_id)
        except OSError as exc:
            if exc.errno not in {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}:
                raise
            number += 1
        else:
            return run_id


def run_ids(settings: Settings) -> list[str]:
    """Return the ids of all experiments, sorted; archived ones included."""
    try:
        return sorted(folder.name for folder in settings.runs.iterdir() if not folder.name.startswith("."))
    except FileNotFoundError:
        return []


def matching_runs(word: str, settings: Settings) -> list[str]:
    """Return the ids that ``word`` may stand for: itself; all of a name, by age; or those it begins."""
    ids = run_ids(settings)
    if word in ids:
        return [word]
    named = _runs_named(word.removesuffix(PLACEHOLDER), ids)
    return named or [run_id for run_id in ids if word and run_id.startswith(word)]


def _runs_named(name: str, ids: Sequence[str]) -> list[str]:
    """Return the ids of the experiments of that name, oldest first."""
    stamps = {run_id: _STAMP.fullmatch(run_id.removeprefix(f"{name}_")) for run_id in ids}
    ages = {run_id: (stamp["time"], int(stamp["number"] or 1)) for run_id, stamp in stamps.items() if stamp}
    return sorted(ages, key=ages.__getitem__)


def find_run(word: str, settings: Settings, *, unique: bool = False, completed: bool = False) -> str:
    """Return the id that ``word`` stands for: an id, its unique beginning, a name, or NAME_TIMESTAMP.

    A name stands for the newest experiment of that name, of those that are not archived if there are any.

    Parameters
    ----------
    unique
        Refuse the name of several experiments, as commands do that cannot be undone.
    completed
        A name stands for the newest completed one, archived or not, if there is one.

    Raises
    ------
    UnknownNameError
        No id matches; the message names the nearest one.
    UsageError
        Several match.
    """
    matches = matching_runs(word, settings)
    if not matches:
        advice = f"`recsys experiment list --all` lists those in {settings.runs}"
        raise UnknownNameError("experiment", word, run_ids(settings), next_step=advice)
    if len(matches) > 1 and not unique and matches == _runs_named(word.removesuffix(PLACEHOLDER), matches):
        open_ones = [run_id for run_id in matches if not _is_in(RunState.ARCHIVED, run_id, settings)]
        candidates = [ids for ids in (open_ones, matches) if ids]
        if completed:
            fitted = [[id for id in ids if _is_in(RunState.COMPLETED, id, settings)] for ids in candidates]
            candidates = [*filter(None, fitted), *candidates]
        return candidates[0][-1]
    if len(matches) > 1:
        some = ", ".join(matches[:4]) + (", ..." if len(matches) > 4 else "")
        found = f"{len(matches)} experiments begin with {shorten(word)!r}: {some}"
        raise UsageError(found, next_step="type more of the id")
    return matches[0]


def _is_in(state: RunState, run_id: str, settings: Settings) -> bool:
    """Whether an experiment is in a state, or was in it before it was archived."""
    with suppress(RecsysError):  # a damaged log is for the command to report
        run = load_run(run_id, settings)
        return state in (run.state, run.state_before_archive)
    return False


def run_folder(run_id: str, settings: Settings) -> Path:
    """Return the folder of an experiment."""
    return settings.runs / run_id


def load_run(run_id: str, settings: Settings, *, without: str = "") -> Run:
    """Return an experiment, replayed from its log; until it is finished, its seconds are the meter's.

    Its refusal is in no event and has a file of its own. Events of the kind ``without`` are skipped unread.
    """
    folder = run_folder(run_id, settings)
    run = replay(run_id, read_events(folder / events.FILE_NAME, without=without))
    if not run.state.finished:
        run = replace(run, seconds=seconds_of(run, folder), refused=read_refusal(folder))
    return run


def load_runs(settings: Settings, *, without: str = "") -> tuple[list[Run], list[RecsysError]]:
    """Return every readable experiment, as `load_run` does, oldest first, and an error for each other."""
    runs: list[Run] = []
    errors: list[RecsysError] = []
    with _without_garbage_collection():
        for run_id in run_ids(settings):
            try:
                runs.append(load_run(run_id, settings, without=without))
            except RecsysError as exc:
                errors.append(exc)
    return sorted(runs, key=lambda run: (run.created, run.id)), errors


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Pause the garbage collector, which takes a quarter of the time of loading a thousand runs."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def load_config(run_id: str, settings: Settings) -> ExperimentConfig:
    """Return the configuration that the experiment was created with.

    Raises
    ------
    ExperimentError
        The file is missing, damaged or of a version that this one does not understand.
    """
    path = run_folder(run_id, settings) / CONFIG_NAME
    try:
        return ExperimentConfig.parse(json.loads(path.read_bytes()))
    except (OSError, ValueError, ConfigError) as exc:
        raise ExperimentError(
            f"cannot use {path} ({exc})", next_step="restore the file, or create the experiment anew"
        ) from exc


def load_evaluated_config(run: Run, settings: Settings) -> ExperimentConfig:
    """Return the experiment's configuration with the evaluation that its metrics have; see `load_config`."""
    return load_config(run.id, settings).with_evaluation(run.evaluation)
