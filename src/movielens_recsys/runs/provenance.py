"""Provenance of a run's metrics: code, environment and seeds. No secret and no environment variable."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import movielens_recsys
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.training.memory_estimate import gpu_for

_LIBRARIES = ("torch", "numpy", "polars", "lightning-fabric", "scipy", "pydantic", "mlflow-skinny")


def provenance_of(config: ExperimentConfig) -> dict[str, Any]:
    """Return code version, environment and seeds, as the ``started`` event stores them."""
    return {
        "code": code_version(Path(movielens_recsys.__file__).parent),
        "environment": environment(config.training.device),
        "seeds": seeds(config),
    }


def code_version(package: Path) -> dict[str, Any]:
    """Return the package's version and, inside its own git checkout, the commit.

    ``dirty`` says whether tracked files differ from the commit.
    """
    version: dict[str, Any] = {"version": movielens_recsys.__version__, "commit": None, "dirty": None}
    checkout = package.parent.parent
    if (checkout / "src" / package.name) == package and (checkout / ".git").exists():
        commit = _git(checkout, "rev-parse", "HEAD")
        changes = _git(checkout, "status", "--porcelain", "--untracked-files=no")
        version.update(commit=commit, dirty=None if changes is None else bool(changes))
    return version


def _git(checkout: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(checkout), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def environment(device: str) -> dict[str, Any]:
    """Return the device that ``device`` selects, interpreter, platform and versions of libraries."""
    gpu = gpu_for(device)
    return {
        "device": gpu.name if gpu else "cpu",
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "libraries": {name: _installed(name) for name in _LIBRARIES},
    }


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def seeds(config: ExperimentConfig) -> dict[str, int]:
    """Return every seed of the configuration; all randomness of a run derives from them."""
    found = {"training": config.training.seed, "evaluation": config.evaluation.seed}
    split_seed = getattr(config.split, "seed", None)
    return found if split_seed is None else {**found, "split": split_seed}
