"""`Executor`: where members are trained, each by a process ``recsys auto ID`` on this machine or on Ray.

``recsys auto`` starts or resumes an experiment, and restarts it after a crash. Its output is in the
experiment's ``auto.log``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, Self

from movielens_recsys.errors import ExperimentError, UsageError
from movielens_recsys.experiments.supervision import LOG_NAME
from movielens_recsys.experiments.supervisor import STOP_TIMEOUT_S
from movielens_recsys.settings import Settings

_ARGUMENTS = ("-m", "movielens_recsys", "auto")
_STOP_PATIENCE_S = STOP_TIMEOUT_S + 3.0


class Executor(Protocol):
    """Starts members and returns how they ended; only the executor knows the type of its handles."""

    jobs: int
    """The largest number of members that run at a time."""

    def __enter__(self) -> Self:
        """Acquire the resources."""

    def __exit__(self, *_: object) -> None:
        """Release the resources."""

    def start(self, run_id: str) -> Any:
        """Start to train a member, and return a handle at once."""

    def exit_code(self, handle: Any) -> int | None:
        """Return the exit code of its process, or None while it runs."""

    def stop(self, handles: Sequence[Any]) -> None:
        """Let these members save and end, and wait for them."""


class LocalExecutor:
    """Processes on this machine; if several train at a time, each gets an equal share of the cores."""

    def __init__(self, settings: Settings, jobs: int = 1) -> None:
        self.jobs = jobs
        self._environment = member_environment(settings)
        if jobs > 1:
            self._environment.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // jobs)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def start(self, run_id: str) -> subprocess.Popen[bytes]:
        """Start the member's process."""
        return start_process(run_id, self._environment)

    def exit_code(self, handle: subprocess.Popen[bytes]) -> int | None:
        """Return its exit code, or None while it runs."""
        return handle.poll()

    def stop(self, handles: Sequence[subprocess.Popen[bytes]]) -> None:
        """Send SIGTERM to all, wait as long as saving may take, and kill those that take longer."""
        for process in handles:
            process.terminate()
        deadline = time.monotonic() + _STOP_PATIENCE_S
        for process in handles:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            process.kill()


class RayExecutor:
    """Tasks of a Ray cluster, each of which starts its member's process where Ray places it.

    All nodes must see the home and data folders under the same paths, and have this package installed. A
    task whose node dies is restarted on another, and the member resumes from its last checkpoint.

    Parameters
    ----------
    address
        Of a running cluster, as `ray.init` takes it; empty starts one on this machine, for ``jobs`` members
        at a time.

    Raises
    ------
    UsageError
        Ray is not installed.
    """

    def __init__(self, settings: Settings, jobs: int = 1, address: str = "") -> None:
        try:
            import ray
        except ImportError as exc:
            raise UsageError(
                "Ray is not installed", next_step="pip install 'movielens-recsys[ray]', or --engine local"
            ) from exc
        self._ray, self._address, self._cores = ray, address, jobs
        self.jobs = 1_000 if address else jobs  # the cluster schedules as many as fit
        self._environment = {
            name: value
            for name, value in member_environment(settings).items()
            if name.startswith(("RECSYS_", "DISCORD_", "WANDB_"))
        }

    def __enter__(self) -> Self:
        quiet = {"log_to_driver": False, "logging_level": "error", "include_dashboard": False}
        cluster = (
            {"address": self._address} if self._address else {"address": "local", "num_cpus": self._cores}
        )
        try:
            self._ray.init(**cluster, **(quiet if not self._address else {"log_to_driver": False}))
        except (ConnectionError, RuntimeError, ValueError) as exc:
            reason = " ".join(str(exc).split())[:200]
            raise ExperimentError(
                f"no Ray cluster responds at {self._address or 'this machine'} ({reason})",
                next_step="check --ray-address, or --engine local",
            ) from exc
        self._task = self._ray.remote(num_cpus=1, max_retries=3)(_train_member)
        return self

    def __exit__(self, *_: object) -> None:
        self._ray.shutdown()

    def start(self, run_id: str) -> Any:
        """Submit the member to the cluster."""
        return self._task.remote(run_id, self._environment)

    def exit_code(self, handle: Any) -> int | None:
        """Return its exit code, or None while it runs; 1 if the cluster gave up on it."""
        ready, _ = self._ray.wait([handle], timeout=0)
        if not ready:
            return None
        try:
            return int(self._ray.get(handle))
        except self._ray.exceptions.RayError:
            return 1

    def stop(self, handles: Sequence[Any]) -> None:
        """Cancel the tasks, which forward SIGTERM, and wait as long as saving may take."""
        for handle in handles:
            self._ray.cancel(handle, force=False)
        self._ray.wait(list(handles), num_returns=len(handles), timeout=_STOP_PATIENCE_S)


def member_environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a member's process, with absolute home and data paths."""
    return {
        **os.environ,
        "RECSYS_HOME": str(settings.home.absolute()),
        "RECSYS_DATA": str(settings.data.absolute()),
        "RECSYS_DATA_PATH": os.pathsep.join(str(folder.absolute()) for folder in settings.data_folders),
    }


def start_process(run_id: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a member's training process in a new session, so that the terminal's Ctrl-C does not reach it."""
    log_path = Path(environment["RECSYS_HOME"]) / "runs" / run_id / LOG_NAME
    with log_path.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, *_ARGUMENTS, run_id],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
            env=dict(environment),
        )


def _train_member(run_id: str, environment: Mapping[str, str]) -> int:
    """Train a member on a node of the cluster; when cancelled, let it save first."""
    process = start_process(run_id, {**os.environ, **environment})
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_PATIENCE_S)
