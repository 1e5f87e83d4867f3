"""A virtual environment for each set of requirements, created by pip when it is first needed."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from pathlib import Path

from movielens_recsys.bench.config import Peer
from movielens_recsys.errors import BenchError
from movielens_recsys.files import write_atomically
from movielens_recsys.locks import lock
from movielens_recsys.settings import Settings

READY = "ready.json"
PATIENCE_S = 3_600.0


def interpreter_for(peer: Peer, settings: Settings) -> Path:
    """Return the interpreter of the peer's environment, which is created if it is missing.

    A peer without requirements gets this interpreter. Peers with the same requirements share an environment.
    It counts as complete once everything is installed; an interrupted installation starts again.

    Raises
    ------
    BenchError
        The requirements cannot be installed; the message has pip's reason.
    """
    if peer.requirements is None:
        return Path(sys.executable)
    text = read_requirements(peer)
    digest = hashlib.sha256(f"{platform.python_version()}\n{text}".encode()).hexdigest()[:12]
    folder = settings.bench / "environments" / f"{peer.requirements.stem}-{digest}"
    interpreter = folder / "bin" / "python"
    if not (folder / READY).exists():
        folder.mkdir(parents=True, exist_ok=True)
        with lock(folder, PATIENCE_S) as held:
            if not held:
                raise BenchError(f"another process has been installing {folder} for an hour")
            if not (folder / READY).exists():
                _create(folder, interpreter, peer, peer.requirements)
    return interpreter


def read_requirements(peer: Peer) -> str:
    """Return the peer's requirements as text; without a file, the empty string.

    Raises
    ------
    BenchError
        The file is missing.
    """
    if peer.requirements is None:
        return ""
    try:
        return peer.requirements.read_text(encoding="utf-8")
    except OSError as exc:
        raise BenchError(
            f"cannot read the requirements of {peer.name}: {exc}",
            expected="a pip requirements file next to the YAML file",
            next_step="create it, or correct its name",
        ) from exc


def _create(folder: Path, interpreter: Path, peer: Peer, requirements: Path) -> None:
    _run(peer, sys.executable, "-m", "venv", "--clear", str(folder))
    pip = (str(interpreter), "-m", "pip", "--disable-pip-version-check")
    _run(peer, *pip, "install", "--quiet", "--requirement", str(requirements))
    frozen = _run(peer, *pip, "freeze").split()
    write_atomically(folder / READY, json.dumps({"installed": frozen}, indent=2).encode())


def _run(peer: Peer, *command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        reasons = [line for line in lines if line.lower().startswith("error")] or lines or ["no output"]
        raise BenchError(
            f"{peer.config.library} cannot be installed here: {reasons[-1].strip()[:300]}",
            next_step="try again with --retry, or correct its requirements",
        )
    return done.stdout
