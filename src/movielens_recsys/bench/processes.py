"""Running one child process with a time limit, and the reason if it fails."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from movielens_recsys.errors import BenchError

LOG = "log.txt"
_LAST_BYTES = 20_000
_THREADS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"),
    *("NUMBA_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS", "LK_NUM_THREADS", "LK_NUM_PROCS"),
)


def run_child(
    command: Sequence[str],
    folder: Path,
    limit_s: float,
    threads: int,
    extra_environment: Mapping[str, str] | None = None,
) -> float:
    """Run ``command`` to its end with its output in ``folder``, and return the seconds it took.

    Its whole process group is killed when it passes ``limit_s``, and when this process is interrupted.

    Raises
    ------
    BenchError
        It took too long, could not be started, or ended with another code than 0.
    """
    environment = {**os.environ, **dict.fromkeys(_THREADS, str(threads)), **(extra_environment or {})}
    started = time.monotonic()
    with (folder / LOG).open("wb") as log:
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        except OSError as exc:
            raise BenchError(f"its process cannot be started: {exc}") from exc
        try:
            code = child.wait(timeout=limit_s)
        except subprocess.TimeoutExpired:
            raise BenchError(
                f"it had not finished after {limit_s:g} s, and was stopped",
                next_step="raise --limit, and add --retry",
            ) from None
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
    if code:
        ending = f"ended with code {code}" if code > 0 else f"was killed by {signal.Signals(-code).name}"
        raise BenchError(f"its process {ending}: {last_line(folder / LOG)}")
    return time.monotonic() - started


def last_line(log: Path) -> str:
    """Return the last line of a log, without the overwritten parts of a progress bar."""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - _LAST_BYTES))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines()]
    return next((line[:300] for line in reversed(lines) if line), "no output")
