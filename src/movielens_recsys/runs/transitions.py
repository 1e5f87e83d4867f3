"""Transitions between a run's states: which runs may start or resume, and how one is archived.

planned -> running -> completed | failed | stopped        stopped -> running (resumed)
any state without a process -> archived -> that state again

A run fails only by an error that comes again whenever it is resumed; everything else stops it, or leaves it
as it was if it had not begun. A failure of an earlier version, which knew no such rule, is resumed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from movielens_recsys.errors import ExperimentError
from movielens_recsys.runs.cost import resume_command
from movielens_recsys.runs.event_writer import EventWriter, open_log
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.runtime import seconds_of
from movielens_recsys.runs.store import run_folder
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings


def check_runnable(run: Run, *, resume: bool = False, force: bool = False) -> None:
    """Refuse to run a finished experiment, to start a stopped one and to resume one that never began.

    Parameters
    ----------
    force
        Resume also a run whose failure is final, for example after an upgrade that mends it.

    Raises
    ------
    ExperimentError
        The run is completed or archived, has failed for good, or the other command is meant.
    """
    if resume and run.state is RunState.PLANNED:
        raise ExperimentError(
            f"experiment {run.id} has not begun", next_step=f"start it: `recsys experiment run {run.id}`"
        )
    if run.state is RunState.ARCHIVED:
        raise ExperimentError(
            f"experiment {run.id} is archived",
            next_step=f"take it back first: `recsys experiment unarchive {run.id}`",
        )
    if run.resumable and run.state is not RunState.RUNNING and not resume:
        raise ExperimentError(
            f"experiment {run.id} was stopped and is saved",
            next_step=f"go on with it: `{resume_command(run)}`",
        )
    if run.state.finished and not run.resumable and not (resume and force and run.final):
        again = f", or resume it all the same: `{resume_command(run)} --force`" if run.final else ""
        raise ExperimentError(
            f"experiment {run.id} is {run.state}, and a finished experiment never changes",
            next_step=f"run a copy: `recsys experiment clone {run.id} NEW_NAME`{again}",
        )


def check_evaluable(run: Run, changes: Mapping[str, Any]) -> None:
    """Refuse to evaluate a run that is evaluated already, or whose training is not complete.

    Parameters
    ----------
    changes
        Changes to the configured evaluation. They are refused once the test rows were evaluated: the best of
        several evaluations of them would be no estimate any more.

    Raises
    ------
    ExperimentError
        With what the run has instead.
    """
    tested = any(name.startswith("test_") for name in run.metrics)
    if run.state is RunState.COMPLETED or (tested and changes):
        raise ExperimentError(
            f"experiment {run.id} is evaluated: {len(run.metrics)} metrics, each on the test rows once",
            expected="a run that is trained and not evaluated",
            next_step=f"see them: `recsys experiment show {run.id}`"
            if run.state is RunState.COMPLETED
            else f"finish it as it is: `recsys experiment evaluate {run.id}`",
        )
    if not run.fitted:
        command = "resume" if run.resumable else "run"
        raise ExperimentError(
            f"experiment {run.id} is {run.state}, and its training is not complete",
            next_step=f"train it: `recsys experiment {command} {run.id}`",
        )


def start_run(
    run: Run, writer: EventWriter, provenance: dict[str, Any], *, resume: bool = False, force: bool = False
) -> None:
    """Record that this process, which holds the lock, now executes the run.

    A run whose process died starts over, or continues with ``resume``.

    Raises
    ------
    ExperimentError
        `check_runnable` refuses it.
    """
    check_runnable(run, resume=resume, force=force)
    kind = "resumed" if resume else "started"
    writer.append(kind, {"attempt": run.attempts + 1, "pid": os.getpid(), **provenance})


def archive_run(run_id: str, settings: Settings) -> Run:
    """Hide an experiment from listings; `unarchive_run` takes it back as it was.

    Raises
    ------
    ExperimentError
        It is running, or archived already.
    """
    with open_log(run_id, settings) as writer:
        run = writer.run
        if run.state is RunState.ARCHIVED:
            raise ExperimentError(
                f"experiment {run_id} is archived already", next_step="see `recsys experiment list --all`"
            )
        reading = {}
        # The log may miss the last seconds of a killed process; its meter has them.
        if not run.state.finished:
            reading = {"run_seconds": seconds_of(run, run_folder(run_id, settings))}
        writer.append("archived", reading)
        return writer.run


def unarchive_run(run_id: str, settings: Settings) -> Run:
    """Take an archived experiment back, in the state that it was archived in.

    Raises
    ------
    ExperimentError
        It is not archived, or another process holds it.
    """
    with open_log(run_id, settings) as writer:
        if writer.run.state is not RunState.ARCHIVED:
            raise ExperimentError(
                f"experiment {run_id} is not archived but {writer.run.state}",
                next_step="see `recsys experiment list`",
            )
        writer.append("unarchived", {})
        return writer.run
