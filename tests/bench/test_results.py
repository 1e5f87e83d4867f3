"""Results on disk: found by all that they depend on, a failure replaced by a success, damage named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from movielens_recsys.bench.jobs import ModelOutput
from movielens_recsys.bench.results import (
    FAILED,
    ResultKey,
    all_results,
    find_result,
    result_folder,
    save_failure,
    save_result,
)
from movielens_recsys.bench.scoring import score_output
from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.errors import BenchError
from movielens_recsys.settings import Settings

KEY = ResultKey("accuracy", "mean of all", 0, {"damping": 5}, "c0de", "da7a", "5p117", None, None)


def save(settings: Settings) -> Any:
    split = make_split(synthetic_ratings(30, 20, 200, seed=0).ratings, RandomSplit())
    parts = {part: np.full(len(split.rows(part)), 3.0, np.float32) for part in ("validation", "test")}
    output = ModelOutput({"fit_s": 1.5}, parts, None)
    (result_folder(KEY, settings) / "job").mkdir(parents=True)
    return save_result(KEY, {"at": "2"}, output, score_output(output, split, None), settings)


@pytest.mark.parametrize(
    "change",
    [
        {"suite": "speed"},
        {"name": "mean of none"},
        {"seed": 1},
        {"settings": {"damping": 6}},
        {"code": "c0de2"},
        {"data": "da7a2"},
        {"split": "5p118"},
        {"relevance_threshold": 4.0},
        {"threads": 2},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_value_of_the_key_makes_another_result(change: dict[str, Any], settings: Settings) -> None:
    other = replace(KEY, **change)
    assert other.id != KEY.id
    save_failure_in_folder(KEY, settings)
    assert find_result(other, settings) is None


def save_failure_in_folder(key: ResultKey, settings: Settings, reason: str = "singular") -> None:
    result_folder(key, settings).mkdir(parents=True, exist_ok=True)
    save_failure(key, {"at": "1"}, reason, settings)


def test_the_name_of_the_folder_begins_with_the_suite_and_the_model() -> None:
    assert KEY.id.startswith("accuracy-mean-")
    assert " " not in KEY.id


def test_a_success_takes_the_place_of_a_failure(settings: Settings) -> None:
    save_failure_in_folder(KEY, settings)
    failed = find_result(KEY, settings)
    assert failed is not None
    assert (failed.failure, failed.timings) == ("singular", None)
    saved = save(settings)
    found = find_result(KEY, settings)
    assert found == saved
    assert found.timings == {"fit_s": 1.5}
    assert found.per_user().aggregates.total()["count"] > 0
    assert not (found.folder / FAILED).exists()
    assert not (found.folder / "job").exists()


def test_results_are_sorted_by_their_time_and_unfinished_ones_left_out(settings: Settings) -> None:
    save(settings)
    save_failure_in_folder(replace(KEY, seed=1), settings)
    (settings.bench / "results" / "begun").mkdir()
    assert [result.key.seed for result in all_results(settings)] == [1, 0]


@pytest.mark.parametrize("content", ["", "[]", '{"key": {"suite": "accuracy"}, "about": {}}'])
def test_a_damaged_result_is_named_with_its_folder(content: str, settings: Settings) -> None:
    saved = save(settings)
    (saved.folder / "result.json").write_text(content)
    with pytest.raises(BenchError, match=f"is damaged.*delete {saved.folder}"):
        find_result(KEY, settings)
