"""Deleting an archived run for good.

The folder is renamed to a hidden name first, so that a run is there whole or not at all; a process that is
killed in between leaves a hidden ``.deleted-*`` folder, which nothing reads and the next deletion removes.
"""

from __future__ import annotations

import shutil

from movielens_recsys.errors import ExperimentError, StorageError
from movielens_recsys.files import sync_path
from movielens_recsys.runs.event_writer import hold_run
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.store import load_run
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings

_PREFIX = ".deleted-"


def check_deletable(run: Run) -> None:
    """Refuse a run that is not archived.

    Raises
    ------
    ExperimentError
        With the command that archives it.
    """
    if run.state is not RunState.ARCHIVED:
        raise ExperimentError(
            f"experiment {run.id} is {run.state}",
            expected="an archived one, since deletion cannot be undone",
            next_step=f"archive it first: `recsys experiment archive {run.id}`",
        )


def delete_run(run_id: str, settings: Settings) -> None:
    """Delete an archived run with its bundle, checkpoints and cached predictions; trackers keep their copies.

    Raises
    ------
    ExperimentError
        It is not archived, or another process holds it.
    StorageError
        The disk refused; the run is still there.
    """
    with hold_run(run_id, settings) as folder:
        check_deletable(load_run(run_id, settings))
        try:
            folder.rename(settings.runs / f"{_PREFIX}{run_id}")
            sync_path(settings.runs)
        except OSError as exc:
            raise StorageError(
                f"cannot delete {folder} ({exc.strerror})", next_step="check the permissions of its folder"
            ) from exc
    for leftover in settings.runs.glob(f"{_PREFIX}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    (settings.predictions / f"{run_id}.npz").unlink(missing_ok=True)
