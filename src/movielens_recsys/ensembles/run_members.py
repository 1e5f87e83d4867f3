"""Running the members that are not completed yet, several at a time; those that are, are left as they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from movielens_recsys.ensembles.executors import Executor
from movielens_recsys.errors import CapReachedError, ExperimentError, TrainingStopped
from movielens_recsys.experiments.supervision import FILE_NAME, LOG_NAME
from movielens_recsys.locks import lock
from movielens_recsys.runs import store, writing
from movielens_recsys.runs.cost import resume_command
from movielens_recsys.runs.run import Run
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings

POLL_S = 0.1


def run_members(
    run_ids: Sequence[str],
    settings: Settings,
    engine: Executor,
    *,
    stop: Callable[[], bool] = lambda: False,
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Bring every member to its end; one that another process trains is waited for.

    A member that fails does not stop the others.

    Parameters
    ----------
    stop
        Asked all the time; once it says True, the members that train are saved and stopped.
    say
        Receives a line for each member that begins and ends.

    Raises
    ------
    TrainingStopped
        ``stop`` said so.
    CapReachedError
        A member has spent what it may.
    ExperimentError
        A member has failed, or was stopped.
    """
    waiting = [id for id in run_ids if store.load_run(id, settings).state is not RunState.COMPLETED]
    if not waiting:
        return
    going: dict[str, Any] = {}
    announced: set[str] = set()
    with engine:
        try:
            while waiting or going:
                for run_id in [run_id for run_id, handle in going.items() if engine.code(handle) is not None]:
                    del going[run_id]
                    say(f"{run_id}: {_outcome(store.load_run(run_id, settings))}")
                for run_id in list(waiting):
                    if len(going) == engine.jobs:
                        break
                    if is_busy_elsewhere(run_id, settings):
                        if run_id not in announced:
                            say(f"{run_id}: another process trains it; waiting")
                            announced.add(run_id)
                        continue
                    waiting.remove(run_id)
                    if not store.load_run(run_id, settings).state.finished:
                        going[run_id] = engine.start(run_id)
                        say(f"{run_id}: trains")
                if stop():
                    raise TrainingStopped(
                        "the ensemble was told to stop; its members are saved",
                        next_step="the same command goes on with it",
                    )
                time.sleep(POLL_S)
        finally:
            if going:
                engine.stop(list(going.values()))
    _refuse_unfinished([store.load_run(run_id, settings) for run_id in run_ids], settings)


def is_busy_elsewhere(run_id: str, settings: Settings) -> bool:
    """Whether some process trains the experiment or looks after it."""
    run = store.load_run(run_id, settings)
    if run.state is RunState.RUNNING and not writing.is_orphaned(run, settings):
        return True
    care = settings.runs / run_id / FILE_NAME
    if not care.exists():
        return False
    with lock(care, patience_s=0) as free:
        return not free


def _outcome(run: Run) -> str:
    if run.state is not RunState.COMPLETED:
        return f"{run.state}: {run.reason}" if run.reason else f"{run.state}"
    figure = run.figures.get("val_rmse")
    return f"{run.state}, val_rmse {figure}" if figure else f"{run.state}"


def _refuse_unfinished(runs: Sequence[Run], settings: Settings) -> None:
    """Raise what is to be said of the first member that is not completed."""
    for run in runs:
        if run.state is RunState.COMPLETED:
            continue
        what = f"member {run.id} is {_outcome(run)}"
        if run.at_cap:
            raise CapReachedError(what, next_step=f"go on under a higher cap: {resume_command(run)}")
        if run.state.finished:
            raise ExperimentError(
                what, next_step="make another ensemble of the members that are completed, with --members"
            )
        raise ExperimentError(
            what, next_step=f"see {settings.runs / run.id / LOG_NAME}; the same command goes on with it"
        )
