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
from movielens_recsys.bench.jobs import PeerOutput
from movielens_recsys.errors import BenchError
from movielens_recsys.evaluation.per_user import PerUserMetrics
from movielens_recsys.files import write_atomically
from movielens_recsys.settings import Settings

FINISHED, FAILED = "cell.json", "failure.json"


@dataclass(frozen=True, slots=True)
class ResultKey:
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
    relevance_threshold: float | None
    threads: int | None

    @property
    def id(self) -> str:
        """The name of the cell's folder."""
        return f"{self.suite}-{self.name.split()[0]}-{digest(asdict(self))[:16]}"


@dataclass(frozen=True, slots=True)
class BenchResult:
    """A cell that was tried: its key, what it is of, and either its account or why there is none."""

    key: ResultKey
    about: dict[str, Any]
    account: dict[str, Any] | None
    failure: str | None
    folder: Path

    def per_user(self) -> PerUserMetrics:
        """Read what each user contributes to its figures."""
        return PerUserMetrics.load(self.folder / "per_user.npz")

    def to_json(self) -> dict[str, Any]:
        """Return all but the arrays as plain JSON values."""
        return {
            "key": asdict(self.key),
            "about": self.about,
            "account": self.account,
            "failure": self.failure,
            "folder": str(self.folder),
        }


def result_folder(key: ResultKey, settings: Settings) -> Path:
    """Return where a cell is or will be."""
    return settings.bench / "cells" / key.id


def find_result(key: ResultKey, settings: Settings) -> BenchResult | None:
    """Return the cell if it was tried and has an outcome."""
    return _load(result_folder(key, settings))


def all_results(settings: Settings) -> list[BenchResult]:
    """Return every cell with an outcome, oldest first."""
    folders = sorted((settings.bench / "cells").glob("*/"))
    found = [cell for cell in map(_load, folders) if cell is not None]
    return sorted(found, key=lambda cell: str(cell.about.get("at", "")))


def save_result(
    key: ResultKey, about: dict[str, Any], answer: PeerOutput, per_user: PerUserMetrics, settings: Settings
) -> BenchResult:
    """Write a finished cell: the arrays first, and last the file that says that it is finished."""
    folder = result_folder(key, settings)
    if answer.predictions is not None:
        np.savez(folder / "predictions.npz", allow_pickle=False, **answer.predictions)
    if answer.lists is not None:
        np.save(folder / "lists.npy", answer.lists)
    per_user.save(folder / "per_user.npz")
    content = {"key": asdict(key), "about": about, "account": answer.account}
    write_atomically(folder / FINISHED, json.dumps(content, indent=2).encode())
    (folder / FAILED).unlink(missing_ok=True)
    shutil.rmtree(folder / "job", ignore_errors=True)
    return BenchResult(key, about, answer.account, None, folder)


def save_failure(key: ResultKey, about: dict[str, Any], reason: str, settings: Settings) -> BenchResult:
    """Write why there is no figure; the job's folder stays, for whoever wants to look."""
    folder = result_folder(key, settings)
    content = {"key": asdict(key), "about": about, "failure": reason}
    write_atomically(folder / FAILED, json.dumps(content, indent=2).encode())
    return BenchResult(key, about, None, reason, folder)


def _load(folder: Path) -> BenchResult | None:
    path = folder / FINISHED if (folder / FINISHED).exists() else folder / FAILED
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        key = ResultKey(**content["key"])
        return BenchResult(key, content["about"], content.get("account"), content.get("failure"), folder)
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise BenchError(
            f"{path} is damaged: {exc}",
            expected="a cell that the bench wrote",
            next_step=f"delete {folder} and run the bench again",
        ) from exc
