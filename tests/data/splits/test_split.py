"""Splits: disjoint, complete, the same on every machine, and without a leak."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.splits.conftest import configs, label, rows, split_or_none, table

from movielens_recsys.data.config import (
    GlobalTemporalSplit,
    KFoldSplit,
    LeaveLastSplit,
    OfficialSplit,
    RandomSplit,
    UserTemporalSplit,
)
from movielens_recsys.data.splits.split import make_split, split_summary
from movielens_recsys.errors import SplitError

PINNED = [
    (RandomSplit(), "99db079baab54061"),
    (RandomSplit(validation=0.05, test=0.2, seed=7), "de8138f0f6541d08"),
    (KFoldSplit(fold=3), "0abfae8f209ebc7b"),
    (UserTemporalSplit(), "d63184005da4b7ae"),
    (LeaveLastSplit(k=2), "6c8a6eb109ae65b9"),
    (GlobalTemporalSplit(), "4022aa4170424ee8"),
]
PINNED_ML_100K = [
    (RandomSplit(), "c112d5333ee0c63e"),
    (KFoldSplit(validation=0.05), "d87fe761aa4f1c0c"),
    (OfficialSplit(name="u1"), "7ff2ebd50fe109ae"),
    (OfficialSplit(name="ua"), "acde222fa3027355"),
    (UserTemporalSplit(), "ccc35aa938bdd52f"),
    (LeaveLastSplit(), "871389ad677b35c2"),
    (GlobalTemporalSplit(), "0a50f1352757fe8e"),
]


@pytest.mark.parametrize(("config", "expected"), PINNED, ids=label)
def test_a_split_is_the_same_on_every_machine(arithmetic, config, expected):
    assert make_split(arithmetic, config).hash[:16] == expected


@pytest.mark.real_data
@pytest.mark.parametrize(("config", "expected"), PINNED_ML_100K, ids=label)
def test_a_split_of_ml_100k_is_the_same_on_every_machine(ml_100k, config, expected):
    assert make_split(ml_100k, config).hash[:16] == expected


def test_cold_users_and_items_are_kept_and_counted():
    ratings = table([1, 1, 2, 3, 1], [1, 2, 1, 2, 3], [1, 2, 3, 4, 5], [1, 2, 3, 9, 10])
    split = make_split(ratings, GlobalTemporalSplit(validation=0, test=0.4))
    summary = split_summary(split)
    assert split.test.tolist() == [3, 4]
    assert (summary.test.cold_users, summary.test.cold_items, summary.test.cold_ratings) == (1, 1, 2)
    assert (summary.train.ratings, summary.train.users, summary.train.items) == (3, 2, 2)
    assert summary.train.cold_ratings == summary.validation.ratings == 0
    assert summary.to_json()["protocol"] == "global temporal 60/0/40"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (OfficialSplit(name="u1"), "no official split u1"),
        (RandomSplit(test=0.1), "leaves the test part of 5 ratings empty"),
        (LeaveLastSplit(k=2), "leaves the test part of 5 ratings empty"),
    ],
    ids=label,
)
def test_a_protocol_that_does_not_fit_is_refused_with_a_next_step(config, words):
    ratings = table([1, 1, 1, 2, 2], [1, 2, 3, 1, 2], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5])
    with pytest.raises(SplitError, match=words) as caught:
        make_split(ratings, config)
    assert caught.value.next_step


def test_without_ratings_there_is_no_split(arithmetic):
    with pytest.raises(SplitError, match="has no ratings"):
        make_split(arithmetic.take(np.arange(0)), GlobalTemporalSplit())


@given(rows, configs)
@settings(deadline=None, max_examples=300)
def test_parts_are_disjoint_and_cover_every_row(values, config):
    split = split_or_none(table(*zip(*values, strict=True)), config)
    if split is not None:
        parts = [split.train, split.validation, split.test]
        assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(values)))
        assert all((np.diff(part) > 0).all() and part.dtype == np.int64 for part in parts)
        assert len(split.train)
        assert len(split.test)


@given(rows, configs, st.data())
@settings(deadline=None, max_examples=200)
def test_held_out_ratings_cannot_be_read_from_training(values, config, data):
    ratings = table(*zip(*values, strict=True))
    split = split_or_none(ratings, config)
    if split is None:
        return
    other = ratings.ratings.copy()
    held_out = np.concatenate([split.validation, split.test])
    other[held_out] = data.draw(st.lists(st.integers(1, 5), min_size=len(held_out), max_size=len(held_out)))
    changed = make_split(replace(ratings, ratings=other), config)
    assert changed.hash == split.hash
    assert changed.part("train").content_hash == split.part("train").content_hash
    assert not np.isin(split.test, split.train).any()
    assert len(split.part("train")) == len(split.train)


@given(rows, configs)
@settings(deadline=None, max_examples=50)
def test_the_same_seed_gives_the_same_split(values, config):
    ratings = table(*zip(*values, strict=True))
    first, second = split_or_none(ratings, config), split_or_none(ratings, config)
    assert (first is None) == (second is None)
    assert first is None or first.hash == second.hash


def test_a_split_is_shown_in_a_line(arithmetic):
    shown = repr(make_split(arithmetic))
    assert "\n" not in shown
    assert "train" in shown
    assert len(shown) < 150
