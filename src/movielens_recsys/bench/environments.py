"""A virtual environment for each set of requirements, made by pip the first time that it is asked for."""

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
    """Return the interpreter of the peer's environment, which is made if it is not there.

    A peer without requirements gets our own. Peers with the same requirements share an environment, which
    counts as there only once everything is installed; what was interrupted is begun again.

    Raises
    ------
    BenchError
        It cannot be installed here, with pip's reason.
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
                _make(folder, interpreter, peer, peer.requirements)
    return interpreter


def read_requirements(peer: Peer) -> str:
    """Return the peer's requirements as text, none as an empty one.

    Raises
    ------
    BenchError
        The file is not there.
    """
    if peer.requirements is None:
        return ""
    try:
        return peer.requirements.read_text(encoding="utf-8")
    except OSError as exc:
        raise BenchError(
            f"cannot read the requirements of {peer.name}: {exc}",
            expected="a file for pip, beside the entrants' file",
            next_step="write it, or correct its name",
        ) from exc


def _make(folder: Path, interpreter: Path, peer: Peer, requirements: Path) -> None:
    _call(peer, sys.executable, "-m", "venv", "--clear", str(folder))
    pip = (str(interpreter), "-m", "pip", "--disable-pip-version-check")
    _call(peer, *pip, "install", "--quiet", "--requirement", str(requirements))
    frozen = _call(peer, *pip, "freeze").split()
    write_atomically(folder / READY, json.dumps({"installed": frozen}, indent=2).encode())


def _call(peer: Peer, *words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        reasons = [line for line in lines if line.lower().startswith("error")] or lines or ["no reason"]
        raise BenchError(
            f"{peer.config.library} cannot be installed here: {reasons[-1].strip()[:300]}",
            next_step="try again with --retry, or correct its requirements",
        )
    return done.stdout
