"""What a training needs of its device's memory, and what the device has, without torch."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from movielens_recsys.models.footprint import ModelFootprint
from movielens_recsys.training.config import VALIDATION_BATCH

_BYTES_A_PARAMETER = 20
"""In single precision: the weight, its gradient, Adam's two moments, and the best epoch's copy."""
_BYTES_A_RATING = 20
"""User and item as int64, the rating as float32."""
_BYTES_A_UNIT = 4 * 4
"""What a unit of a layer leaves for one pair: outputs of linear, ReLU and dropout, and a gradient."""
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_NVIDIA_SMI_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Device:
    """Where an experiment would run, and its memory."""

    name: str
    total_bytes: int


def bytes_needed(size: ModelFootprint, batch_size: int, n_ratings: int, n_users: int, n_items: int) -> int:
    """Estimate the peak of a training: parameters and their optimiser, ratings, and one batch's activations.

    The batch that needs most is one of training, which keeps every layer, or the larger one of
    validation, which keeps two. What Python and the libraries take is not in it. Models that encode people
    and films from ratings hold those, and what they encode, beside it.
    """
    training = batch_size * sum(size.widths) * _BYTES_A_UNIT
    validation = VALIDATION_BATCH * 2 * max(size.widths) * 4
    parameters = size.parameters(n_users, n_items) * _BYTES_A_PARAMETER
    read = n_ratings * size.bytes_per_rating + (n_users + n_items) * size.bytes_per_entity
    return parameters + n_ratings * _BYTES_A_RATING + read + max(training, validation)


def device_for(choice: str) -> Device:
    """Return the device that ``training.device`` stands for here: the first GPU, else the main memory."""
    return gpu_for(choice) or Device("main memory", main_memory())


def gpu_for(choice: str) -> Device | None:
    """Return the GPU that ``training.device`` stands for here, or None for the processor."""
    return _first_card() if choice in {"auto", "cuda"} else None


def _first_card() -> Device | None:
    command = shutil.which("nvidia-smi")
    if command is None:
        return None
    query = [command, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(
            query, capture_output=True, text=True, timeout=_NVIDIA_SMI_PATIENCE_S, check=True
        )
        name, _, mebibytes = answer.stdout.splitlines()[0].rpartition(",")
        return Device(name.strip(), int(mebibytes) * 2**20)
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def main_memory() -> int:
    """Return what this process may use: the machine's memory, or the container's limit if that is lower."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(total, int(_CGROUP_LIMIT.read_text()))
    except (OSError, ValueError):
        return total
