"""Running the members that are not completed yet, several at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from movielens_recsys.ensembles.executors import Executor
from movielens_recsys.errors import CapReachedError, ExperimentError, TrainingStopped
from movielens_recsys.experiments.supervision import FILE_NAME, LOG_NAME
from movielens_recsys.locks import lock
from movielens_recsys.runs import event_writer, store
from movielens_recsys.runs.cost import resume_command
from movielens_recsys.runs.run import Run
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings

POLL_S = 0.1


def run_members(
    run_ids: Sequence[str],
    settings: Settings,
    executor: Executor,
    *,
    stop: Callable[[], bool] = lambda: False,
    report: Callable[[str], None] = lambda line: None,
) -> None:
    """Run every member to its end; a member that another process trains is waited for.

    A member that fails does not stop the others.

    Parameters
    ----------
    stop
        Called at short intervals; once it returns True, the running members are saved and stopped.
    report
        Receives a line for each member that starts and ends.

    Raises
    ------
    TrainingStopped
        ``stop`` returned True.
    CapReachedError
        A member has reached its spending cap.
    ExperimentError
        A member has failed, or was stopped.
    """
    waiting = [id for id in run_ids if store.load_run(id, settings).state is not RunState.COMPLETED]
    if not waiting:
        return
    running: dict[str, Any] = {}
    announced: set[str] = set()
    with executor:
        try:
            while waiting or running:
                for run_id in [
                    run_id for run_id, handle in running.items() if executor.exit_code(handle) is not None
                ]:
                    del running[run_id]
                    report(f"{run_id}: {_outcome(store.load_run(run_id, settings))}")
                for run_id in list(waiting):
                    if len(running) == executor.jobs:
                        break
                    if is_busy_elsewhere(run_id, settings):
                        if run_id not in announced:
                            report(f"{run_id}: another process trains it; waiting")
                            announced.add(run_id)
                        continue
                    waiting.remove(run_id)
                    run = store.load_run(run_id, settings)
                    if run.resumable or not run.state.finished:
                        running[run_id] = executor.start(run_id)
                        report(f"{run_id}: trains")
                if stop():
                    raise TrainingStopped(
                        "the ensemble was stopped; its members are saved",
                        next_step="the same command resumes it",
                    )
                time.sleep(POLL_S)
        finally:
            if running:
                executor.stop(list(running.values()))
    _require_completed([store.load_run(run_id, settings) for run_id in run_ids], settings)


def is_busy_elsewhere(run_id: str, settings: Settings) -> bool:
    """Whether another process trains or supervises the experiment."""
    if event_writer.is_held(run_id, settings, patience_s=0):
        return True
    record = settings.runs / run_id / FILE_NAME
    if not record.exists():
        return False
    with lock(record, patience_s=0) as free:
        return not free


def _outcome(run: Run) -> str:
    if run.state is not RunState.COMPLETED:
        return f"{run.state}: {run.why}" if run.why else f"{run.state}"
    rmse = run.metrics.get("val_rmse")
    return f"{run.state}, val_rmse {rmse}" if rmse else f"{run.state}"


def _require_completed(runs: Sequence[Run], settings: Settings) -> None:
    """Raise the error of the first member that is not completed."""
    for run in runs:
        if run.state is RunState.COMPLETED:
            continue
        finding = f"member {run.id} is {_outcome(run)}"
        if run.at_cap:
            raise CapReachedError(finding, next_step=f"go on under a higher cap: {resume_command(run)}")
        if run.state.finished and not run.resumable:
            raise ExperimentError(
                finding, next_step="make another ensemble of the completed members, with --members"
            )
        raise ExperimentError(
            finding, next_step=f"see {settings.runs / run.id / LOG_NAME}; the same command resumes it"
        )
