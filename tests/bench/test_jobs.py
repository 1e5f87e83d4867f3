"""What a job's process gets to read, and which output of it is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from movielens_recsys.bench.jobs import LIST_LENGTH, read_output, write_job, write_rows
from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.errors import BenchError

TIMINGS = {"fit_s": 1, "predict_s": 0.5, "peak_mb": 100, "passes": 3}


@pytest.fixture(scope="module")
def split() -> Split:
    return make_split(synthetic_ratings(40, 60, 900, seed=2).ratings, RandomSplit())


def write_output(folder: Path, **arrays: np.ndarray) -> Path:
    (folder / "output.json").write_text(json.dumps(TIMINGS))
    np.savez(folder / "predictions.npz", **arrays)
    return folder


def allowed_lists(split: Split) -> np.ndarray:
    """The first unrated items of each test user, by index, -1 past their end."""
    test, train = split.part("test"), split.part("train")
    users = np.unique(test.users)
    lists = np.full((len(users), LIST_LENGTH), -1)
    for row, user in enumerate(users):
        items = np.setdiff1d(np.arange(split.ratings.n_items), train.items[train.users == user])
        lists[row, : min(len(items), LIST_LENGTH)] = items[:LIST_LENGTH]
    return lists


def write_lists(folder: Path, lists: np.ndarray) -> Path:
    (folder / "output.json").write_text(json.dumps(TIMINGS))
    np.save(folder / "lists.npy", lists)
    return folder


def test_the_test_rows_come_without_their_ratings(split: Split, tmp_path: Path) -> None:
    write_rows(split, tmp_path)
    for part in ("train", "validation", "test"):
        rows = split.part(part)
        with np.load(tmp_path / f"{part}.npz") as stored:
            np.testing.assert_array_equal(stored["users"], rows.users)
            np.testing.assert_array_equal(stored["items"], rows.items)
            np.testing.assert_array_equal(stored["timestamps"], rows.timestamps)
            assert ("ratings" in stored.files) == (part != "test")
    np.testing.assert_array_equal(np.load(tmp_path / "users.npy"), np.unique(split.part("test").users))
    write_job({"suite": "accuracy", "seed": 4}, tmp_path)
    assert json.loads((tmp_path / "job.json").read_text()) == {"suite": "accuracy", "seed": 4}


def test_predictions_are_clipped_to_the_scale_and_keep_their_order(split: Split, tmp_path: Path) -> None:
    validation = np.linspace(-5, 10, len(split.validation))
    output = read_output(
        write_output(tmp_path, validation=validation, test=np.full(len(split.test), 3)), split, lists=False
    )
    assert output.lists is None
    assert output.predictions is not None
    np.testing.assert_allclose(output.predictions["validation"], np.clip(validation, 1, 5), rtol=1e-6)
    assert output.timings == {"fit_s": 1.0, "predict_s": 0.5, "peak_mb": 100.0, "passes": 3}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test": np.zeros(3)}, r"predictions of shape \(3,\) for the test rows"),
        ({"test": None}, "its output cannot be read: KeyError"),
        ({"validation": np.nan}, "the prediction for validation row 0 is nan"),
        ({"test": -np.inf}, "the prediction for test row 0 is -inf"),
    ],
)
def test_wrong_predictions_are_refused(
    change: dict[str, Any], message: str, split: Split, tmp_path: Path
) -> None:
    arrays = {part: np.full(len(split.rows(part)), 3.0) for part in ("validation", "test")}
    for part, value in change.items():
        if value is None:
            del arrays[part]
        elif np.ndim(value):
            arrays[part] = value
        else:
            arrays[part][0] = value
    with pytest.raises(BenchError, match=message):
        read_output(write_output(tmp_path, **arrays), split, lists=False)


def test_lists_of_unrated_items_are_read(split: Split, tmp_path: Path) -> None:
    lists = allowed_lists(split)
    output = read_output(write_lists(tmp_path, lists.astype(np.int16)), split, lists=True)
    assert output.predictions is None
    assert output.lists is not None
    assert output.lists.dtype == np.int64
    np.testing.assert_array_equal(output.lists, lists)


def test_wrong_lists_are_refused(split: Split, tmp_path: Path) -> None:
    train, users = split.part("train"), np.unique(split.part("test").users)
    seen = train.items[train.users == users[0]][0]
    lists = allowed_lists(split)
    wrong = {
        "whole numbers of shape": lists[:, 1:],
        "and type float64": lists.astype(float),
        "items from -2": np.where(np.arange(LIST_LENGTH) == 0, -2, lists),
        "to 60; expected 0 to 59": np.where(np.arange(LIST_LENGTH) == 0, 60, lists),
        "an item twice": np.where(np.arange(LIST_LENGTH) == 1, lists[:, :1], lists),
        "an item of the user's training rows": lists.copy(),
    }
    wrong["an item of the user's training rows"][0, 0] = seen
    for message, array in wrong.items():
        with pytest.raises(BenchError, match=message):
            read_output(write_lists(tmp_path, array), split, lists=True)


@pytest.mark.parametrize("content", ["", "{", '{"fit_s": 1}', '{"fit_s": "x", "predict_s": 1, "peak_mb": 1}'])
def test_timings_that_cannot_be_read_are_refused(content: str, split: Split, tmp_path: Path) -> None:
    parts = {part: np.full(len(split.rows(part)), 3.0) for part in ("validation", "test")}
    write_output(tmp_path, **parts)
    (tmp_path / "output.json").write_text(content)
    with pytest.raises(BenchError, match="its output cannot be read"):
        read_output(tmp_path, split, lists=False)
