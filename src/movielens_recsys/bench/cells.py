"""Cells: one entrant on one split with one seed, kept once finished, not run again while all is the same."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from movielens_recsys.bench.config import Suite
from movielens_recsys.bench.fingerprints import digest
from movielens_recsys.bench.jobs import Answer
from movielens_recsys.errors import BenchError
from movielens_recsys.evaluation.per_user import PerUser
from movielens_recsys.settings import Settings
from movielens_recsys.storage import write_atomically

FINISHED, FAILED = "cell.json", "failure.json"


@dataclass(frozen=True, slots=True)
class Key:
    """All that decides a cell's figures; another value of any of these is another cell.

    ``code`` and ``data`` are hashes (`bench.fingerprints`); ``settings`` is the peer's settings, or the
    resolved model and training configuration of ours; ``threads`` counts where speed is the figure.
    """

    suite: Suite
    name: str
    seed: int
    settings: dict[str, Any]
    code: str
    data: str
    split: str
    relevant_from: float | None
    threads: int | None

    @property
    def id(self) -> str:
        """The name of the cell's folder."""
        return f"{self.suite}-{self.name.split()[0]}-{digest(asdict(self))[:16]}"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that was tried: its key, what it is of, and either its account or why there is none."""

    key: Key
    about: dict[str, Any]
    account: dict[str, Any] | None
    failure: str | None
    folder: Path

    def per_user(self) -> PerUser:
        """Read what each user contributes to its figures."""
        return PerUser.load(self.folder / "per_user.npz")

    def to_json(self) -> dict[str, Any]:
        """Return all but the arrays as plain JSON values."""
        return {
            "key": asdict(self.key),
            "about": self.about,
            "account": self.account,
            "failure": self.failure,
            "folder": str(self.folder),
        }


def folder_of(key: Key, settings: Settings) -> Path:
    """Return where a cell is or will be."""
    return settings.bench / "cells" / key.id


def find(key: Key, settings: Settings) -> Cell | None:
    """Return the cell if it was tried and has an outcome."""
    return _load(folder_of(key, settings))


def all_cells(settings: Settings) -> list[Cell]:
    """Return every cell with an outcome, oldest first."""
    folders = sorted((settings.bench / "cells").glob("*/"))
    found = [cell for cell in map(_load, folders) if cell is not None]
    return sorted(found, key=lambda cell: str(cell.about.get("at", "")))


def keep(key: Key, about: dict[str, Any], answer: Answer, per_user: PerUser, settings: Settings) -> Cell:
    """Write a finished cell: the arrays first, and last the file that says that it is finished."""
    folder = folder_of(key, settings)
    if answer.predictions is not None:
        np.savez(folder / "predictions.npz", allow_pickle=False, **answer.predictions)
    if answer.lists is not None:
        np.save(folder / "lists.npy", answer.lists)
    per_user.save(folder / "per_user.npz")
    content = {"key": asdict(key), "about": about, "account": answer.account}
    write_atomically(folder / FINISHED, json.dumps(content, indent=2).encode())
    (folder / FAILED).unlink(missing_ok=True)
    shutil.rmtree(folder / "job", ignore_errors=True)
    return Cell(key, about, answer.account, None, folder)


def keep_failure(key: Key, about: dict[str, Any], reason: str, settings: Settings) -> Cell:
    """Write why there is no figure; the job's folder stays, for whoever wants to look."""
    folder = folder_of(key, settings)
    content = {"key": asdict(key), "about": about, "failure": reason}
    write_atomically(folder / FAILED, json.dumps(content, indent=2).encode())
    return Cell(key, about, None, reason, folder)


def _load(folder: Path) -> Cell | None:
    path = folder / FINISHED if (folder / FINISHED).exists() else folder / FAILED
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        key = Key(**content["key"])
        return Cell(key, content["about"], content.get("account"), content.get("failure"), folder)
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise BenchError(
            f"{path} is damaged: {exc}",
            expected="a cell that the bench wrote",
            next_step=f"delete {folder} and run the bench again",
        ) from exc
