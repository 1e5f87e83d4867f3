"""Training devices: one, or several with a process each, joined by DDP through Fabric.

The process that enters `WorkerProcesses` is rank 0 and does all input and output: callbacks, checkpoints, the
event log. The other ranks are its child processes, which do the same steps on their share of each batch
and end with it.
"""

from __future__ import annotations

import logging
import multiprocessing
import socket
import warnings
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, ClassVar, Self

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy

from movielens_recsys.errors import TrainingError
from movielens_recsys.training.config import TrainingConfig

_PRECISION = {"float32": "32-true", "bf16": "bf16-mixed"}
_CONNECT_TIMEOUT = timedelta(minutes=5)
_EXIT_TIMEOUT_S = 10.0


def fabric_for(training: TrainingConfig, environment: LocalCluster | None = None) -> Fabric:
    """Return the Fabric that trains as ``training`` says, as one of the ranks of ``environment`` if given.

    Raises
    ------
    TrainingError
        The device is not there, or there are fewer of it than ranks.
    """
    accelerator = _accelerator(training.device)
    precision = _PRECISION[training.precision]
    if training.precision == "bf16" and accelerator == "cuda" and not torch.cuda.is_bf16_supported(False):
        warnings.warn("this GPU has no bf16; training in float32", stacklevel=2)
        precision = _PRECISION["float32"]
    if environment is None:
        return Fabric(accelerator=accelerator, devices=1, precision=precision)  # type: ignore[arg-type]
    require_devices(training, environment.world_size())
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    strategy = DDPStrategy(
        cluster_environment=environment,
        process_group_backend="nccl" if accelerator == "cuda" else "gloo",
        timeout=_CONNECT_TIMEOUT,
    )
    fabric = Fabric(
        accelerator=accelerator,
        devices=environment.world_size(),
        strategy=strategy,
        precision=precision,  # type: ignore[arg-type]
    )
    fabric.launch()
    return fabric


def require_devices(training: TrainingConfig, n_devices: int) -> None:
    """Refuse a device that is not on this machine, or fewer GPUs than devices.

    Raises
    ------
    TrainingError
        With what there is.
    """
    if _accelerator(training.device) == "cuda" and torch.cuda.device_count() < n_devices:
        raise TrainingError(
            f"{torch.cuda.device_count()} GPUs for {n_devices} devices",
            next_step="lower --devices, or set training.device to cpu",
        )


def _accelerator(device: str) -> str:
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise TrainingError(
            "training.device is cuda and no GPU can be used here",
            next_step="set training.device to auto or cpu, or see `nvidia-smi`",
        )
    return "cuda" if available and device != "cpu" else "cpu"


class LocalCluster(ClusterEnvironment):
    """Gives Fabric this process's rank, the number of ranks and the local port of rank 0."""

    def __init__(self, rank: int, ranks: int, port: int) -> None:
        self._rank, self._ranks, self._port = rank, ranks, port

    @property
    def creates_processes_externally(self) -> bool:
        """Always: `WorkerProcesses` makes them."""
        return True

    @property
    def main_address(self) -> str:
        """Loopback."""
        return "127.0.0.1"

    @property
    def main_port(self) -> int:
        """Where rank 0 listens."""
        return self._port

    @staticmethod
    def detect() -> bool:
        """Never: it is given."""
        return False

    def world_size(self) -> int:
        """Return the number of ranks."""
        return self._ranks

    def set_world_size(self, size: int) -> None:
        """Fixed."""

    def global_rank(self) -> int:
        """Return this process's rank."""
        return self._rank

    def set_global_rank(self, rank: int) -> None:
        """Fixed."""

    def local_rank(self) -> int:
        """Return this process's rank, all being on one machine."""
        return self._rank

    def node_rank(self) -> int:
        """Return 0, the only machine."""
        return 0


class WorkerProcesses:
    """While it is entered, ranks 1 to ``devices`` - 1 run ``work(*arguments, cluster)`` as processes.

    ``cluster`` is the one of rank 0; None with one device.
    """

    _last_group: ClassVar[torch.distributed.ProcessGroup | None] = None
    """Kept beyond the model that used it: torch ends a group with its last owner, and DDP's reducer, as the
    last, would wait under the GIL for threads of the group, one of which may be waiting for the GIL."""

    def __init__(self, devices: int, work: Callable[..., None], *arguments: Any) -> None:
        self._work, self._arguments, self._devices = work, arguments, devices
        self._processes: list[BaseProcess] = []
        self.cluster: LocalCluster | None = None

    def __enter__(self) -> Self:
        if self._devices > 1:
            port = _free_port()
            self.cluster = LocalCluster(0, self._devices, port)
            context = multiprocessing.get_context("spawn")
            for rank in range(1, self._devices):
                process = context.Process(
                    target=self._work,
                    args=(*self._arguments, LocalCluster(rank, self._devices, port)),
                    name=f"rank-{rank}",
                    daemon=True,
                )
                process.start()
                self._processes.append(process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all ranks; where this one failed because another had ended, say so.

        Raises
        ------
        TrainingError
            Another rank ended before its work was done.
        """
        patience_s = _EXIT_TIMEOUT_S if kind is None or issubclass(kind, RuntimeError) else 0
        for process in self._processes:
            process.join(patience_s)
        ended = [process for process in self._processes if process.exitcode]
        for process in self._processes:
            process.kill()
            process.join()
        if self._processes and torch.distributed.is_initialized():
            WorkerProcesses._last_group = torch.distributed.group.WORLD
            with suppress(RuntimeError):
                torch.distributed.destroy_process_group()
        if ended and isinstance(value, RuntimeError):
            raise TrainingError(
                f"{ended[0].name} of {self._devices} ended with exit code {ended[0].exitcode}",
                next_step="see its output above; the last checkpoint is good: resume the run",
            ) from value


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
