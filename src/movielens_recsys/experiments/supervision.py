"""Runs that are looked after: by which process, where they say how it goes, and which to take up again.

    .recsys/runs/ID/auto.json   the process that looks after the run, which holds a lock on this file
                    auto.log    what it and its trainers said; only ever appended to

``auto.json`` outlives the process that it names. Once both that and its trainer are gone, by a crash, a
reboot or SIGTERM, the run is to be taken up again. It names none where the run was given up: after Ctrl-C, at
a cap, or because its trainers kept dying.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from movielens_recsys.errors import ExperimentError
from movielens_recsys.files import write_durably
from movielens_recsys.locks import lock
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.writing import is_orphaned
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings

FILE_NAME, LOG_NAME = "auto.json", "auto.log"
START_S = 60.0


class SupervisorRecord(NamedTuple):
    """Who looks after a run, None if it was given up, and on how many devices it is trained."""

    pid: int | None = 0
    devices: int = 1


@contextmanager
def supervising(run_id: str, settings: Settings, devices: int = 1) -> Iterator[None]:
    """Be the one process that looks after the run.

    Raises
    ------
    ExperimentError
        Another one does.
    """
    path = settings.runs / run_id / FILE_NAME
    path.touch()
    with lock(path) as held:
        if not held:
            raise ExperimentError(
                f"experiment {run_id} is looked after by process {_read(path).pid}",
                next_step=f"leave it to that one, or look: `recsys experiment show {run_id}`",
            )
        _write(path, SupervisorRecord(os.getpid(), devices))
        yield


def disable_auto_resume(run_id: str, settings: Settings) -> None:
    """Let nothing take the run up again but a person."""
    path = settings.runs / run_id / FILE_NAME
    _write(path, _read(path)._replace(pid=None))


def supervisor_of(run_id: str, settings: Settings) -> SupervisorRecord | None:
    """Return who looks after the run, or did; None if nobody ever has."""
    path = settings.runs / run_id / FILE_NAME
    return _read(path) if path.exists() else None


def _read(path: Path) -> SupervisorRecord:
    """Return what the file says; a power cut while it was written leaves a run that is taken up again."""
    try:
        return SupervisorRecord(**json.loads(path.read_bytes()))
    except (OSError, TypeError, ValueError):
        return SupervisorRecord()


def _write(path: Path, care: SupervisorRecord) -> None:
    """Write in place: the lock is on this very file."""
    write_durably(path, json.dumps(care._asdict()).encode())


def why_not_resumed(run: Run, settings: Settings) -> str:
    """Return why a run that was looked after is left as it is; empty if it is to be taken up again."""
    path = settings.runs / run.id / FILE_NAME
    with lock(path, patience_s=0) as free:
        if not free:
            return f"process {_read(path).pid} looks after it"
    if run.state is RunState.RUNNING and not is_orphaned(run, settings):
        return "it is running"
    given_up = _read(path).pid is None or run.at_cap
    if run.state.finished or (run.state is RunState.STOPPED and given_up):
        return f"{run.state}: {run.reason}" if run.reason else f"{run.state}"
    return "interrupted before it was saved" if given_up else ""


def detach(run_id: str, settings: Settings, command: Sequence[str]) -> int:
    """Start the command that looks after the run in the background; return its process id once it does.

    It has a session of its own and no standard input: neither a terminal that is closed nor a Ctrl-C reaches
    it. What it says goes into the run's ``auto.log``.

    Raises
    ------
    ExperimentError
        It ended before it looked after the run.
    """
    folder = settings.runs / run_id
    with (folder / LOG_NAME).open("ab") as log:
        begin = log.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    deadline = time.monotonic() + START_S
    while _read(folder / FILE_NAME).pid != process.pid and time.monotonic() < deadline:
        if process.poll() is not None:
            said = (folder / LOG_NAME).read_bytes()[begin:].decode(errors="replace").splitlines()
            errors = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
            raise ExperimentError(errors[-1] if errors else f"it ended with exit code {process.returncode}")
        time.sleep(0.02)
    process.returncode = 0  # it outlives us, and nobody here will wait for it
    return process.pid
