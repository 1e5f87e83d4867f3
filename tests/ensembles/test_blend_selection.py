"""The blend is selected on validation rows only, and needs them unless it is the mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.ensembles.conftest import load

from movielens_recsys.data.splits.split import Split
from movielens_recsys.ensembles.blend_selection import select_blend
from movielens_recsys.errors import UsageError
from movielens_recsys.settings import Settings


def test_nothing_is_selected_on_test(members: list[str], settings: Settings) -> None:
    predictions, split, evaluation = load(members, settings)
    honest = select_blend(predictions, split, evaluation, "auto")
    assert set(honest.rmse) == {"mean", "ridge", "gbm"}
    assert honest.blend == min(honest.rmse, key=lambda name: honest.rmse[name]["validation"])
    ratings = split.ratings.ratings.copy()
    ratings[split.test] = 6 - ratings[split.test]
    poisoned = Split(
        replace(split.ratings, ratings=ratings), split.config, split.train, split.validation, split.test
    )
    other = select_blend(predictions, poisoned, evaluation, "auto")
    assert (other.blend, other.best_member) == (honest.blend, honest.best_member)
    np.testing.assert_array_equal(other.predicted["test"], honest.predicted["test"])
    for name, values in honest.rmse.items():
        assert other.rmse[name]["validation"] == values["validation"]
        assert other.rmse[name]["test"] != values["test"]


def test_members_that_predict_the_same_ratings_are_named(members: list[str], settings: Settings) -> None:
    predictions, split, evaluation = load(members, settings)
    first, second, _ = members
    again = {**predictions, "again": predictions[second]}
    result = select_blend(again, split, evaluation, "ridge")
    assert {member.run: member.same_as for member in result.members if member.same_as} == {"again": second}
    assert first not in {member.same_as for member in result.members}


def test_without_validation_rows_only_the_mean_is_possible(members: list[str], settings: Settings) -> None:
    predictions, split, evaluation = load(members, settings)
    bare = Split(
        split.ratings, split.config, np.r_[split.train, split.validation], split.validation[:0], split.test
    )
    result = select_blend(predictions, bare, evaluation, "mean")
    assert list(result.predicted) == ["test"]
    assert result.best_member == members[2]
    with pytest.raises(UsageError, match="--blend mean"):
        select_blend(predictions, bare, evaluation, "auto")
