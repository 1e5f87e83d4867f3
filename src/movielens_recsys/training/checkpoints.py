"""Checkpoints on disk: old or new, never partial, and verified before use."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from movielens_recsys.errors import CheckpointError, StorageError
from movielens_recsys.files import sync_path, write_durably

MAGIC = b"recsys-checkpoint-1\n"
LAST, PREVIOUS, BEST = "last.ckpt", "previous.ckpt", "best.ckpt"
_DIGEST_BYTES = hashlib.sha256().digest_size


def write_checkpoint(
    path: Path,
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, Any],
    make_room: Callable[[], None] = lambda: None,
) -> None:
    """Replace the checkpoint at ``path``: write beside it, fsync, verify, rename, fsync the folder.

    The file is a magic line, the SHA-256 of the rest, and one safetensors body with ``metadata`` (any JSON).
    ``make_room`` is called when the new file is whole and verified, just before it takes its place.

    Raises
    ------
    StorageError
        The disk refused, or did not keep the bytes; the file from before remains.
    """
    body = save_tensors(dict(tensors), metadata={"metadata": json.dumps(dict(metadata))})
    digest = hashlib.sha256(body).digest()
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(new, MAGIC + digest, body)
        with new.open("rb") as file:
            file.seek(len(MAGIC) + _DIGEST_BYTES)
            if hashlib.file_digest(file, "sha256").digest() != digest:
                raise OSError(errno.EIO, "the disk did not keep the bytes")
        make_room()
        new.replace(path)
        sync_path(path.parent)
    except OSError as exc:
        raise StorageError(
            f"cannot write {path} ({exc.strerror})",
            next_step="free space or permissions there, then try again; the checkpoints before are whole",
        ) from exc
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and metadata of a checkpoint, its hash checked first.

    Raises
    ------
    CheckpointError
        If the file is missing, cut off or damaged.
    """
    advice = "remove it; without any, a resumed run trains from the beginning"
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise CheckpointError(f"no readable checkpoint at {path}: {exc.strerror}", next_step=advice) from exc
    digest, body = content[len(MAGIC) : len(MAGIC) + _DIGEST_BYTES], content[len(MAGIC) + _DIGEST_BYTES :]
    if not content.startswith(MAGIC) or hashlib.sha256(body).digest() != digest:
        raise CheckpointError(
            f"checkpoint {path} is damaged", expected="the hash it was written with", next_step=advice
        )
    try:
        header_size = int.from_bytes(body[:8], "little")
        header = json.loads(body[8 : 8 + header_size])
        return load_tensors(body), json.loads(header["__metadata__"]["metadata"])
    except (SafetensorError, KeyError, ValueError) as exc:
        raise CheckpointError(f"checkpoint {path} is not in this version's format", next_step=advice) from exc


class Checkpoints:
    """One run's checkpoints: the last, the one before it, and the best epoch's weights.

    One process writes them, and calls `latest` or `clear` before it writes the first.

    Parameters
    ----------
    folder
        Their folder; without one nothing is kept.
    fingerprint
        Hash of the configuration and split that they belong to.
    ensure_owner
        Called when a new file is whole and about to take its place; it raises if this process has lost
        the run to another.
    read_only
        For ranks that read checkpoints and leave writing to rank 0.
    """

    def __init__(
        self,
        folder: Path | None,
        fingerprint: str,
        *,
        ensure_owner: Callable[[], None] = lambda: None,
        read_only: bool = False,
    ) -> None:
        self.folder = folder
        self.fingerprint = fingerprint
        self._writable = None if read_only else folder
        self._ensure_owner = ensure_owner
        self._last_is_whole = False

    def save(self, tensors: Mapping[str, Tensor], position: Mapping[str, Any]) -> None:
        """Write ``last.ckpt``; the one before becomes ``previous.ckpt``, if it was whole.

        The new one is on disk before either is renamed, so that a whole checkpoint exists at every instant.
        """
        if self._writable is not None:
            metadata = {"fingerprint": self.fingerprint, **position}
            write_checkpoint(self._writable / LAST, tensors, metadata, self._keep_last_as_previous)
            self._last_is_whole = True

    def _keep_last_as_previous(self) -> None:
        self._ensure_owner()
        if self._writable is not None and self._last_is_whole:
            (self._writable / LAST).replace(self._writable / PREVIOUS)
            self._last_is_whole = False

    def save_best(self, weights: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
        """Write ``best.ckpt``: the network's weights and the epoch's record."""
        if self._writable is not None:
            write_checkpoint(self._writable / BEST, weights, record, self._ensure_owner)

    def latest(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return the last whole checkpoint, or None if none was written.

        A last one that is damaged or of another training is skipped, with a warning, for the one before.

        Raises
        ------
        CheckpointError
            None of the existing ones can be used.
        """
        refusals: list[CheckpointError] = []
        self._remove_partial()
        for path in self._written():
            try:
                tensors, position = read_checkpoint(path)
                self._check(path, position)
            except CheckpointError as exc:
                refusals.append(exc)
                continue
            for refusal in refusals:
                warnings.warn(f"{refusal.found}; continuing from the one before it", stacklevel=2)
            self._last_is_whole = path.name == LAST
            return tensors, position
        if refusals:
            raise CheckpointError(
                " and ".join(refusal.found for refusal in refusals), next_step=refusals[-1].next_step
            )
        return None

    def clear(self) -> None:
        """Remove the checkpoints of an earlier training."""
        if self._writable is not None:
            self._remove_partial()
            for name in (LAST, PREVIOUS):
                (self._writable / name).unlink(missing_ok=True)

    def _remove_partial(self) -> None:
        """Remove files that processes were writing when they were killed."""
        for path in self._writable.glob(".*.ckpt.*") if self._writable else ():
            path.unlink(missing_ok=True)

    def _written(self) -> list[Path]:
        paths = [self.folder / name for name in (LAST, PREVIOUS)] if self.folder else []
        return [path for path in paths if path.exists()]

    def _check(self, path: Path, position: Mapping[str, Any]) -> None:
        if position.get("fingerprint") != self.fingerprint:
            raise CheckpointError(
                f"checkpoint {path} belongs to another configuration or split",
                next_step="start a new experiment, or restore the data that this one began with",
            )
