"""Supervision of runs: the process that supervises each, its log, and which runs to resume.

    .recsys/runs/ID/auto.json   the supervisor of the run, which holds a lock on this file
                    auto.log    output of the supervisor and its trainers, append-only

``auto.json`` outlives the process that it names. Once that process and its trainer are gone, after a crash, a
reboot or SIGTERM, the run is to be resumed. It names none if automatic resumption is disabled: after Ctrl-C,
at a cap, or because its trainers kept crashing.
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
from movielens_recsys.runs.cost import resume_command
from movielens_recsys.runs.event_writer import is_orphaned
from movielens_recsys.runs.run import Run
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings

FILE_NAME, LOG_NAME = "auto.json", "auto.log"
START_TIMEOUT_S = 60.0


class SupervisorRecord(NamedTuple):
    """The process that supervises a run (None: disabled; 0: unknown), and the number of devices."""

    pid: int | None = 0
    devices: int = 1


@contextmanager
def supervising(run_id: str, settings: Settings, devices: int = 1) -> Iterator[None]:
    """Be the one supervisor of the run while entered.

    Raises
    ------
    ExperimentError
        Another process supervises it.
    """
    path = settings.runs / run_id / FILE_NAME
    path.touch()
    with lock(path) as held:
        if not held:
            raise ExperimentError(
                f"experiment {run_id} is supervised by process {_read(path).pid}",
                next_step=f"leave it to that one, or look: `recsys experiment show {run_id}`",
            )
        _write(path, SupervisorRecord(os.getpid(), devices))
        yield


def disable_auto_resume(run_id: str, settings: Settings) -> None:
    """Let only a user resume the run from now on."""
    path = settings.runs / run_id / FILE_NAME
    _write(path, _read(path)._replace(pid=None))


def supervisor_of(run_id: str, settings: Settings) -> SupervisorRecord | None:
    """Return the present or last supervisor of the run; None if it never had one."""
    path = settings.runs / run_id / FILE_NAME
    return _read(path) if path.exists() else None


def _read(path: Path) -> SupervisorRecord:
    """Return the record; after a power cut while it was written, one with which the run is resumed."""
    try:
        return SupervisorRecord(**json.loads(path.read_bytes()))
    except (OSError, TypeError, ValueError):
        return SupervisorRecord()


def _write(path: Path, record: SupervisorRecord) -> None:
    """Write in place: the lock is on this very file."""
    write_durably(path, json.dumps(record._asdict()).encode())


def why_not_resumed(run: Run, settings: Settings) -> str:
    """Return why a supervised run is not resumed; empty if it is to be resumed."""
    path = settings.runs / run.id / FILE_NAME
    with lock(path, patience_s=0) as free:
        if not free:
            waits = run.refused is not None and run.refused.passing and run.state is not RunState.RUNNING
            doing = f"waits to go on with it: {run.why}" if waits else "supervises it"
            return f"process {_read(path).pid} {doing}"
    if run.state is RunState.RUNNING and not is_orphaned(run, settings):
        return "it is running"
    disabled = _read(path).pid is None or run.at_cap
    if run.state.finished or (run.state is RunState.STOPPED and disabled):
        why = f"{run.state}: {run.reason}" if run.reason else f"{run.state}"
        # A failure that an earlier version recorded may be years old: only a user takes it up.
        again = f"; `{resume_command(run)}` takes it up" if run.resumable and run.state.finished else ""
        return why + again
    return "interrupted before it was saved" if disabled else ""


def detach(run_id: str, settings: Settings, command: Sequence[str]) -> int:
    """Start the command that supervises the run in the background; return its process id once it does.

    It has its own session and no standard input: neither a closed terminal nor a Ctrl-C reaches it. Its
    output goes into the run's ``auto.log``.

    Raises
    ------
    ExperimentError
        It ended before it supervised the run.
    """
    folder = settings.runs / run_id
    with (folder / LOG_NAME).open("ab") as log:
        begin = log.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    deadline = time.monotonic() + START_TIMEOUT_S
    while _read(folder / FILE_NAME).pid != process.pid and time.monotonic() < deadline:
        if process.poll() is not None:
            output = (folder / LOG_NAME).read_bytes()[begin:].decode(errors="replace").splitlines()
            errors = [line.removeprefix("error: ") for line in output if line.startswith("error: ")]
            raise ExperimentError(errors[-1] if errors else f"it ended with exit code {process.returncode}")
        time.sleep(0.02)
    process.returncode = 0  # it outlives this process, so that Popen must not warn that it still runs
    return process.pid
