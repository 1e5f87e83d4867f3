"""The data sets and splits of each suite."""

from __future__ import annotations

import pytest

from movielens_recsys.bench.tasks import Task, require_relevant, tasks
from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import make_split, split_name
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.errors import EvaluationError, UnknownNameError, UsageError


def names(*arguments):
    return [f"{task.data}: {split_name(task.split)}" for task in tasks(*arguments)]


def test_accuracy_has_all_protocols_and_official_files_where_they_exist():
    assert names("accuracy", ["ml-100k", "ml-1m"], None, 1) == [
        "ml-100k: official u1",
        "ml-100k: fold 0 of 10, seed 0",
        "ml-100k: global temporal 80/10/10",
        "ml-100k: leave last 1 per user",
        "ml-1m: fold 0 of 10, seed 0",
        "ml-1m: global temporal 80/10/10",
        "ml-1m: leave last 1 per user",
    ]


def test_folds_count_from_the_first():
    assert names("accuracy", ["ml-100k"], ["official"], 5)[-1] == "ml-100k: official u5"
    assert len(names("accuracy", ["ml-100k"], ["official", "random"], 10)) == 15


def test_ranking_has_both_relevance_thresholds():
    liked, every = tasks("ranking", ["ml-1m"], None, 1)
    assert (liked.relevance_threshold, split_name(liked.split)) == (4.0, "random 80/10/10, seed 0")
    assert (every.relevance_threshold, split_name(every.split)) == (0.0, "fold 0 of 5, seed 0")


def test_rankings_need_a_relevant_test_rating():
    ratings = synthetic_ratings(20, 10, 100, seed=0).ratings
    split = make_split(ratings, RandomSplit())
    require_relevant(Task("ranking", "made", RandomSplit(), 1.0), split)
    require_relevant(Task("accuracy", "made", RandomSplit()), split)
    with pytest.raises(EvaluationError, match=r"on the scale 1 to 5 in steps of 1, reaches 5\.5"):
        require_relevant(Task("ranking", "made", RandomSplit(), 5.5), split)


def test_an_impossible_protocol_is_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'official'"):
        tasks("accuracy", ["ml-100k"], ["oficial"], 1)
    with pytest.raises(UsageError, match="nothing to run: ml-1m under official"):
        tasks("accuracy", ["ml-1m"], ["official"], 1)
    with pytest.raises(UsageError, match="the suite ranking has fixed protocols"):
        tasks("ranking", ["ml-1m"], ["random"], 1)
