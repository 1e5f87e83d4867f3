"""Weights on disk while training: old or new, never partial, and checked before use."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from movielens_recsys.errors import TrainingError

MAGIC = b"recsys-checkpoint-1\n"
LAST, PREVIOUS, BEST = "last.ckpt", "previous.ckpt", "best.ckpt"
_DIGEST_BYTES = hashlib.sha256().digest_size


def write_checkpoint(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Replace the checkpoint at ``path`` atomically: write beside it, fsync, rename, fsync the folder.

    The file is a magic line, the SHA-256 of the rest, and one safetensors body with ``metadata`` (any JSON).
    """
    body = save_tensors(dict(tensors), metadata={"metadata": json.dumps(dict(metadata))})
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(MAGIC + hashlib.sha256(body).digest() + body)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and metadata of a checkpoint, its hash checked first.

    Raises
    ------
    TrainingError
        If the file is missing, cut off or damaged.
    """
    advice = "delete it and train again"
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise TrainingError(f"no readable checkpoint at {path}: {exc.strerror}") from exc
    digest, body = content[len(MAGIC) : len(MAGIC) + _DIGEST_BYTES], content[len(MAGIC) + _DIGEST_BYTES :]
    if not content.startswith(MAGIC) or hashlib.sha256(body).digest() != digest:
        raise TrainingError(
            f"checkpoint {path} is damaged", expected="the hash it was written with", next_step=advice
        )
    try:
        header_size = int.from_bytes(body[:8], "little")
        header = json.loads(body[8 : 8 + header_size])
        return load_tensors(body), json.loads(header["__metadata__"]["metadata"])
    except (SafetensorError, KeyError, ValueError) as exc:
        raise TrainingError(f"checkpoint {path} is not in this version's format", next_step=advice) from exc


class Checkpoints:
    """One run's checkpoints: the last, the one before it, and the best epoch's weights.

    Without a folder nothing is kept. ``fingerprint`` says what configuration and split they belong to.
    ``read_only`` is for those who train along and leave writing to another.
    """

    def __init__(self, folder: Path | None, fingerprint: str, *, read_only: bool = False) -> None:
        self.folder = folder
        self.fingerprint = fingerprint
        self.read_only = read_only

    def save(self, tensors: Mapping[str, Tensor], position: Mapping[str, Any]) -> None:
        """Write ``last.ckpt``; the one that was last becomes ``previous.ckpt``, so one is always whole."""
        if self.folder is None or self.read_only:
            return
        last = self.folder / LAST
        if last.exists():
            last.replace(self.folder / PREVIOUS)
        write_checkpoint(last, tensors, {"fingerprint": self.fingerprint, **position})

    def save_best(self, weights: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
        """Write ``best.ckpt``: the network's weights and the epoch's record."""
        if self.folder is not None and not self.read_only:
            write_checkpoint(self.folder / BEST, weights, record)

    def latest(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return the last whole checkpoint, or None if none was written.

        A damaged last one is passed over, with a warning, for the one before it.

        Raises
        ------
        TrainingError
            All are damaged, or they belong to another configuration or split.
        """
        paths = [self.folder / name for name in (LAST, PREVIOUS)] if self.folder else []
        paths = [path for path in paths if path.exists()]
        for path in paths:
            try:
                tensors, position = read_checkpoint(path)
            except TrainingError as exc:
                if path is paths[-1]:
                    raise
                warnings.warn(f"{exc}; going on from the one before it", stacklevel=2)
                continue
            if position["fingerprint"] != self.fingerprint:
                raise TrainingError(
                    f"checkpoint {path} belongs to another configuration or split",
                    next_step="start a new experiment",
                )
            return tensors, position
        return None
