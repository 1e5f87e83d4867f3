"""Transitions between a run's states: which runs may start or resume, and how one is archived.

planned -> running -> completed | failed | stopped        stopped -> running (resumed)
any state but running -> archived
"""

from __future__ import annotations

import os
from typing import Any

from movielens_recsys.errors import ExperimentError
from movielens_recsys.runs.cost import resume_command
from movielens_recsys.runs.event_writer import EventWriter, open_log
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.runtime import seconds_of
from movielens_recsys.runs.store import run_folder
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings


def check_runnable(run: Run, *, resume: bool = False) -> None:
    """Refuse to run a finished experiment, to start a stopped one and to resume one that never began.

    Raises
    ------
    ExperimentError
        The run is finished, and finished runs never change; or the other command is meant.
    """
    if resume and run.state is RunState.PLANNED:
        raise ExperimentError(
            f"experiment {run.id} has not begun", next_step=f"start it: `recsys experiment run {run.id}`"
        )
    if run.state is RunState.STOPPED and not resume:
        raise ExperimentError(
            f"experiment {run.id} was stopped and is saved",
            next_step=f"go on with it: `{resume_command(run)}`",
        )
    if run.state.finished:
        raise ExperimentError(
            f"experiment {run.id} is {run.state}, and a finished experiment never changes",
            next_step=f"run a copy: `recsys experiment clone {run.id} NEW_NAME`",
        )


def start_run(run: Run, writer: EventWriter, provenance: dict[str, Any], *, resume: bool = False) -> None:
    """Record that this process, which holds the lock, now executes the run.

    A run whose process died starts over, or continues with ``resume``.

    Raises
    ------
    ExperimentError
        `check_runnable` refuses it.
    """
    check_runnable(run, resume=resume)
    kind = "resumed" if resume else "started"
    writer.append(kind, {"attempt": run.attempts + 1, "pid": os.getpid(), **provenance})


def archive_run(run_id: str, settings: Settings) -> Run:
    """Hide an experiment from listings; one whose process died is first marked as failed.

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
        if run.state is RunState.RUNNING:
            writer.append("failed", {"reason": "its process ended without recording why", **reading})
        writer.append("archived", reading)
        return writer.run
