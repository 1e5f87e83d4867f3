"""Where members are trained: each by ``recsys auto ID`` in a process of its own, on this machine or on Ray.

``recsys auto`` starts an experiment or goes on with it, and starts it again when it dies. What it says is in
the experiment's ``auto.log``.
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

_WORDS = ("-m", "movielens_recsys", "auto")
_PATIENCE_S = STOP_TIMEOUT_S + 3.0


class Executor(Protocol):
    """Starts members and says how they ended; what a handle is, is the engine's own business."""

    jobs: int
    """How many members it is given at a time."""

    def __enter__(self) -> Self:
        """Get ready."""

    def __exit__(self, *_: object) -> None:
        """Give everything back."""

    def start(self, run_id: str) -> Any:
        """Begin to train a member, and return at once with a handle."""

    def code(self, handle: Any) -> int | None:
        """Return the exit code of its process, or None while it works."""

    def stop(self, handles: Sequence[Any]) -> None:
        """Let these save and end, and wait for them."""


class LocalExecutor:
    """Processes on this machine; where several train at a time, each has its share of the cores."""

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

    def code(self, handle: subprocess.Popen[bytes]) -> int | None:
        """Return its exit code, or None while it works."""
        return handle.poll()

    def stop(self, handles: Sequence[subprocess.Popen[bytes]]) -> None:
        """Send SIGTERM to all, wait as long as they may take to save, and kill who takes longer."""
        for process in handles:
            process.terminate()
        deadline = time.monotonic() + _PATIENCE_S
        for process in handles:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            process.kill()


class RayExecutor:
    """Tasks of a Ray cluster, each of which starts its member's process where Ray places it.

    All nodes must see the home and data folders under the same paths, and have this package installed. A
    task whose node dies is started anew on another, and the member goes on from its last checkpoint.

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
        self.jobs = 1_000 if address else jobs  # the cluster knows best how many it can take
        self._environment = {
            name: value
            for name, value in member_environment(settings).items()
            if name.startswith(("RECSYS_", "DISCORD_", "WANDB_"))
        }

    def __enter__(self) -> Self:
        quiet = {"log_to_driver": False, "logging_level": "error", "include_dashboard": False}
        where = {"address": self._address} if self._address else {"address": "local", "num_cpus": self._cores}
        try:
            self._ray.init(**where, **(quiet if not self._address else {"log_to_driver": False}))
        except (ConnectionError, RuntimeError, ValueError) as exc:
            reason = " ".join(str(exc).split())[:200]
            raise ExperimentError(
                f"no Ray cluster answers at {self._address or 'this machine'} ({reason})",
                next_step="check --ray-address, or --engine local",
            ) from exc
        self._task = self._ray.remote(num_cpus=1, max_retries=3)(_train)
        return self

    def __exit__(self, *_: object) -> None:
        self._ray.shutdown()

    def start(self, run_id: str) -> Any:
        """Hand the member to the cluster."""
        return self._task.remote(run_id, self._environment)

    def code(self, handle: Any) -> int | None:
        """Return its exit code, or None while it works; 1 if the cluster gave it up."""
        ready, _ = self._ray.wait([handle], timeout=0)
        if not ready:
            return None
        try:
            return int(self._ray.get(handle))
        except self._ray.exceptions.RayError:
            return 1

    def stop(self, handles: Sequence[Any]) -> None:
        """Cancel the tasks, which pass SIGTERM on, and wait as long as they may take to save."""
        for handle in handles:
            self._ray.cancel(handle, force=False)
        self._ray.wait(list(handles), num_returns=len(handles), timeout=_PATIENCE_S)


def member_environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a member's process: the same home and data from any working folder."""
    return {
        **os.environ,
        "RECSYS_HOME": str(settings.home.absolute()),
        "RECSYS_DATA": str(settings.data.absolute()),
        "RECSYS_DATA_PATH": os.pathsep.join(str(folder.absolute()) for folder in settings.data_folders),
    }


def start_process(run_id: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start what trains a member, in a session of its own, so that no terminal's Ctrl-C reaches it."""
    log_path = Path(environment["RECSYS_HOME"]) / "runs" / run_id / LOG_NAME
    with log_path.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, *_WORDS, run_id],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
            env=dict(environment),
        )


def _train(run_id: str, environment: Mapping[str, str]) -> int:
    """Train a member on a node of the cluster; cancelled, let it save first."""
    process = start_process(run_id, {**os.environ, **environment})
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE_S)
