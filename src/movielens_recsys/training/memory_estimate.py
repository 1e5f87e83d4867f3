"""Memory estimate of a training, and the memory of its device, without torch."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.footprint import ModelFootprint
from movielens_recsys.settings import first_visible_gpu
from movielens_recsys.training.config import VALIDATION_BATCH, TrainingConfig

_BYTES_PER_PARAMETER = 20
"""In single precision: the weight, its gradient, Adam's two moments, and the best epoch's copy."""
_BYTES_PER_RATING = 20
"""User and item as int64, the rating as float32."""
_BYTES_PER_UNIT = 4 * 4
"""Of one layer unit and one pair: outputs of linear, ReLU and dropout, and a gradient."""
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_NVIDIA_SMI_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Device:
    """The device of an experiment, and its memory."""

    name: str
    total_bytes: int


def bytes_needed(
    footprint: ModelFootprint, batch_size: int, n_ratings: int, n_users: int, n_items: int
) -> int:
    """Estimate the peak of a training: parameters and their optimiser, ratings, and one batch's activations.

    The largest batch is one of training, which keeps every layer, or one of validation, which has more rows
    and keeps two layers. Memory of Python and the libraries is not included. Models that encode users and
    items from their ratings hold the ratings and the encodings too.
    """
    training = batch_size * sum(footprint.widths) * _BYTES_PER_UNIT
    validation = VALIDATION_BATCH * 2 * max(footprint.widths) * 4
    parameters = footprint.parameters(n_users, n_items) * _BYTES_PER_PARAMETER
    encodings = n_ratings * footprint.bytes_per_rating + (n_users + n_items) * footprint.bytes_per_entity
    return parameters + n_ratings * _BYTES_PER_RATING + encodings + max(training, validation)


def network_bytes(
    model: ModelConfig, training: TrainingConfig, n_ratings: int, n_users: int, n_items: int
) -> int:
    """Estimate the peak of training the network that predicts ratings; 0 without one."""
    footprint = model.footprint()
    if footprint is None:
        return 0
    return bytes_needed(footprint, training.batch_rows(n_ratings), n_ratings, n_users, n_items)


def least_bytes(
    model: ModelConfig, training: TrainingConfig, n_ratings: int, n_users: int, n_items: int
) -> int:
    """Return the main memory without which a fit surely fails.

    The matrices of closed forms are counted exactly. The estimate of sampling may be half too high, and so
    may that of a network, which counts only if it trains on the CPU.
    """
    sizes = (n_ratings, n_users, n_items)
    network = network_bytes(model, training, *sizes)
    if network and gpu_for(training.device) is not None:
        network = 0
    return max(model.fit_bytes(*sizes), network // 2, model.sampling_bytes(*sizes) // 2)


def gibibytes(n_bytes: float) -> str:
    """Return a number of bytes in GiB, as text."""
    return f"{n_bytes / 2**30:.1f} GiB"


def device_for(choice: str) -> Device:
    """Return the device that ``training.device`` selects on this machine: the first GPU, else main memory."""
    return gpu_for(choice) or Device("main memory", main_memory())


def gpu_for(choice: str) -> Device | None:
    """Return the GPU that ``training.device`` selects on this machine, or None for the CPU."""
    return _first_gpu() if choice in {"auto", "cuda"} else None


def _first_gpu() -> Device | None:
    command = shutil.which("nvidia-smi")
    if command is None:
        return None
    visible = first_visible_gpu()
    if visible == "":
        return None
    query = [command, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    query += [] if visible is None else ["-i", visible]
    try:
        output = subprocess.run(
            query, capture_output=True, text=True, timeout=_NVIDIA_SMI_TIMEOUT_S, check=True
        )
        name, _, mebibytes = output.stdout.splitlines()[0].rpartition(",")
        return Device(name.strip(), int(mebibytes) * 2**20)
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def main_memory() -> int:
    """Return the memory available to this process: the machine's, or the container's limit if lower."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(total, int(_CGROUP_LIMIT.read_text()))
    except (OSError, ValueError):
        return total


def available_memory() -> int:
    """Return the main memory that this process can still take now, swap included."""
    free = psutil.virtual_memory().available + psutil.swap_memory().free
    address_space, _ = resource.getrlimit(resource.RLIMIT_AS)
    if address_space != resource.RLIM_INFINITY:
        free = min(free, address_space - psutil.Process().memory_info().vms)
    return max(0, min(main_memory(), free))
