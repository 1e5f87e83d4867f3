"""Bench results on disk: one model on one split with one seed, reused until what it depends on changes."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from movielens_recsys.bench.config import Suite
from movielens_recsys.bench.fingerprints import digest
from movielens_recsys.bench.jobs import ModelOutput
from movielens_recsys.errors import BenchError
from movielens_recsys.evaluation.per_user import PerUserMetrics
from movielens_recsys.files import write_atomically
from movielens_recsys.settings import Settings

FINISHED, FAILED = "result.json", "failure.json"


@dataclass(frozen=True, slots=True)
class ResultKey:
    """Everything that determines a result's metrics; a change of any value makes another result.

    ``code`` and ``data`` are hashes (`bench.fingerprints`); ``settings`` is the peer's settings, or the
    resolved model and training configuration of ours; ``threads`` is None unless speed is measured.
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
        """The name of the result's folder."""
        return f"{self.suite}-{self.name.split()[0]}-{digest(asdict(self))[:16]}"


@dataclass(frozen=True, slots=True)
class BenchResult:
    """One attempt: its key, a description, and either its timings or the reason of its failure."""

    key: ResultKey
    about: dict[str, Any]
    timings: dict[str, Any] | None
    failure: str | None
    folder: Path

    def per_user(self) -> PerUserMetrics:
        """Read each user's contribution to the metrics."""
        return PerUserMetrics.load(self.folder / "per_user.npz")

    def to_json(self) -> dict[str, Any]:
        """Return everything except the arrays as plain JSON values."""
        return {
            "key": asdict(self.key),
            "about": self.about,
            "timings": self.timings,
            "failure": self.failure,
            "folder": str(self.folder),
        }


def result_folder(key: ResultKey, settings: Settings) -> Path:
    """Return the folder of a result, which may not exist yet."""
    return settings.bench / "results" / key.id


def find_result(key: ResultKey, settings: Settings) -> BenchResult | None:
    """Return the result, successful or failed; None if there is none."""
    return _load(result_folder(key, settings))


def all_results(settings: Settings) -> list[BenchResult]:
    """Return all results, oldest first."""
    folders = sorted((settings.bench / "results").glob("*/"))
    loaded = [result for result in map(_load, folders) if result is not None]
    return sorted(loaded, key=lambda result: str(result.about.get("at", "")))


def save_result(
    key: ResultKey, about: dict[str, Any], output: ModelOutput, per_user: PerUserMetrics, settings: Settings
) -> BenchResult:
    """Write a finished result; the file that marks it as finished comes last."""
    folder = result_folder(key, settings)
    if output.predictions is not None:
        np.savez(folder / "predictions.npz", allow_pickle=False, **output.predictions)
    if output.lists is not None:
        np.save(folder / "lists.npy", output.lists)
    per_user.save(folder / "per_user.npz")
    content = {"key": asdict(key), "about": about, "timings": output.timings}
    write_atomically(folder / FINISHED, json.dumps(content, indent=2).encode())
    (folder / FAILED).unlink(missing_ok=True)
    shutil.rmtree(folder / "job", ignore_errors=True)
    return BenchResult(key, about, output.timings, None, folder)


def save_failure(key: ResultKey, about: dict[str, Any], reason: str, settings: Settings) -> BenchResult:
    """Write the reason of a failure; the job's folder is kept for inspection."""
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
        return BenchResult(key, content["about"], content.get("timings"), content.get("failure"), folder)
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise BenchError(
            f"{path} is damaged: {exc}",
            expected="a result that the bench wrote",
            next_step=f"delete {folder} and run the bench again",
        ) from exc
