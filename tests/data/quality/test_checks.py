"""Quality checks: each reports what it is for, and nothing else."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from tests.data.quality.conftest import found, table

from movielens_recsys.data.quality.checks import check_ratings
from movielens_recsys.schema import Severity


def test_sparse_users_and_items_are_counted():
    ratings = table([0, 0, 0, 1, 1], [0, 1, 2, 0, 3], [1, 2, 3, 4, 5])
    findings = found(ratings, min_user_ratings=3, min_item_ratings=2)
    assert findings["users_below_minimum"].value == 1
    assert "fewer than 3 ratings" in findings["users_below_minimum"].advice
    assert findings["items_below_minimum"].value == 3
    assert findings["density"].value == 5 / 8
    assert not {"users_below_minimum", "items_below_minimum"} & set(
        found(ratings, min_user_ratings=2, min_item_ratings=1)
    )


def test_items_without_attributes_and_items_without_ratings_are_counted_apart():
    items = pl.DataFrame({"item_id": [1, 2, 3], "title": ["A", None, "C"], "year": [1990, None, None]})
    findings = found(table([0, 0], [0, 1], [1, 5], item_ids=np.array([1, 2, 3]), item_table=items))
    assert findings["items_without_attributes"].value == 1
    assert findings["items_never_rated"].value == 1
    assert "users_without_attributes" not in findings


def test_gaps_in_ids_are_harmless_and_text_ids_have_none():
    ids = {"user_ids": np.array([3, 9]), "item_ids": np.array(["a", "b"], dtype=object)}
    findings = found(table([0, 1], [0, 1], [1, 5], **ids))
    assert (findings["user_id_gaps"].value, findings["user_id_gaps"].severity) == (5, Severity.INFO)
    assert "item_id_gaps" not in findings


def test_unused_levels_are_reported():
    assert found(table([0, 0], [0, 1], [4, 5]))["scale_share_unused"].value == pytest.approx(0.6)
    assert "scale_share_unused" not in found(table([0] * 5, range(5), [1, 2, 3, 4, 5]))


def test_missing_times_are_reported():
    assert "no_timestamps" in found(table([0], [0], [4]))
    assert "no_timestamps" not in found(table([0], [0], [4], [1]))


def test_no_ratings_is_an_error_finding():
    (finding,) = check_ratings(table([], [], []))
    assert (finding.name, finding.severity) == ("no_ratings", Severity.ERROR)


def test_every_finding_carries_an_advice_and_survives_json():
    ratings = table([0, 0, 0], [0, 1, 2], [4, 4, 4], [5, 5, 6])
    for finding in check_ratings(ratings):
        assert finding.advice
        assert type(finding).from_json(finding.to_json()) == finding
