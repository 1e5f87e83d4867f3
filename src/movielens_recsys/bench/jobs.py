"""A job's folder: the input rows, and the checked output."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import NPZ_ERRORS
from movielens_recsys.data.splits.split import HeldOutPart, Split
from movielens_recsys.errors import BenchError

PARTS: tuple[HeldOutPart, ...] = ("validation", "test")
LIST_LENGTH = 20


@dataclass(frozen=True, eq=False)
class ModelOutput:
    """The output of a job's process: its timings, and its predictions or lists.

    ``predictions`` has one array per part, in row order, or is None; ``lists`` holds items per test user, by
    ascending user, -1 past the end of a list, shape (users, `LIST_LENGTH`), or is None.
    """

    timings: dict[str, Any]
    predictions: dict[HeldOutPart, NDArray[np.float32]] | None
    lists: NDArray[np.int64] | None


def write_rows(split: Split, folder: Path) -> None:
    """Write the rows of ``split`` for a peer, without the test ratings."""
    for part in ("train", *PARTS):
        ratings = split.part(part)  # type: ignore[arg-type]
        columns: dict[str, NDArray[Any]] = {"users": ratings.users, "items": ratings.items}
        if part != "test":
            columns["ratings"] = ratings.ratings
        if ratings.timestamps is not None:
            columns["timestamps"] = ratings.timestamps
        np.savez(folder / f"{part}.npz", allow_pickle=False, **columns)
    np.save(folder / "users.npy", np.unique(split.part("test").users))


def write_job(job: dict[str, Any], folder: Path) -> None:
    """Write the job's description."""
    (folder / "job.json").write_text(json.dumps(job, indent=2))


def read_output(folder: Path, split: Split, *, lists: bool) -> ModelOutput:
    """Read and check the output of a job's process.

    Raises
    ------
    BenchError
        A file is missing, has the wrong shape, has a non-finite value, or a list has a forbidden item.
    """
    try:
        timings = json.loads((folder / "output.json").read_text())
        numbers = {name: float(timings[name]) for name in ("fit_s", "predict_s", "peak_mb")}
        if lists:
            lists_found = np.load(folder / "lists.npy", allow_pickle=False)
            return ModelOutput(timings | numbers, None, _check_lists(lists_found, split))
        with np.load(folder / "predictions.npz", allow_pickle=False) as stored:
            predictions = {part: _check_predictions(stored[part], split, part) for part in PARTS}
        return ModelOutput(timings | numbers, predictions, None)
    except NPZ_ERRORS as exc:
        raise BenchError(
            f"its output cannot be read: {type(exc).__name__}: {exc}",
            expected="output.json with fit_s, predict_s and peak_mb, and predictions.npz or lists.npy",
        ) from exc


def _check_predictions(predicted: NDArray[Any], split: Split, part: HeldOutPart) -> NDArray[np.float32]:
    """Refuse another shape and non-finite values; clip the rest to the rating scale."""
    expected = (len(split.rows(part)),)
    if predicted.shape != expected:
        raise BenchError(
            f"predictions of shape {predicted.shape} for the {part} rows", expected=f"shape {expected}"
        )
    wrong = np.flatnonzero(~np.isfinite(predicted))
    if len(wrong):
        raise BenchError(
            f"the prediction for {part} row {wrong[0]} is {predicted[wrong[0]]} ({len(wrong)} in total)",
            expected="finite ratings",
        )
    scale = split.ratings.scale
    clipped: NDArray[np.float32] = np.clip(predicted, scale.minimum, scale.maximum).astype(np.float32)
    return clipped


def _check_lists(lists: NDArray[Any], split: Split) -> NDArray[np.int64]:
    """Refuse another shape, unknown items, duplicates, and items that the user rated in training."""
    test, train, n_items = split.part("test"), split.part("train"), split.ratings.n_items
    users = np.unique(test.users).astype(np.int64)
    if lists.shape != (len(users), LIST_LENGTH) or lists.dtype.kind not in "iu":
        raise BenchError(
            f"lists of shape {lists.shape} and type {lists.dtype}",
            expected=f"whole numbers of shape {(len(users), LIST_LENGTH)}: a row per test user",
        )
    items = lists.astype(np.int64)
    if items.min() < -1 or items.max() >= n_items:
        raise BenchError(f"items from {items.min()} to {items.max()}", expected=f"0 to {n_items - 1}, or -1")
    pairs = users[:, None] * n_items + items
    filled = items >= 0
    if len(np.unique(pairs[filled])) < np.count_nonzero(filled):
        raise BenchError("a list has an item twice", expected="each item at most once")
    if np.isin(pairs[filled], train.users.astype(np.int64) * n_items + train.items).any():
        raise BenchError("a list has an item of the user's training rows", expected="unrated items only")
    return items
