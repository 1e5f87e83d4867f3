"""Ids are compared as they are written."""

from __future__ import annotations

import numpy as np
import polars as pl

from movielens_recsys.recommending.ids import look_up_ids, spelling_hint


def test_whole_numbers_and_texts_are_found_as_written() -> None:
    numbers, texts = np.array([3, 70]), np.array(["007", "7", "Emma"], dtype=object)
    assert look_up_ids(numbers, ["70", 3, "03", "7", -1]).tolist() == [1, 0, -1, -1, -1]
    assert look_up_ids(texts, ["7", "007", 7, "emma", "Emma"]).tolist() == [1, 0, 1, -1, 2]
    assert look_up_ids(numbers, pl.Series([3, 70, 4])).tolist() == [0, 1, -1]
    assert look_up_ids(numbers, []).dtype == np.int64


def test_an_id_that_is_written_differently_is_named() -> None:
    texts = np.array(["00003", "Emma"], dtype=object)
    assert spelling_hint(texts, ["9", "3"]) == "; written differently? the ratings have '00003'"
    assert "'Emma'" in spelling_hint(texts, [" emma"])
    assert spelling_hint(texts, ["9"]) == ""
