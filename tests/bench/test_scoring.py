"""An output is measured by the project's own metrics: here against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.bench.jobs import LIST_LENGTH, ModelOutput
from movielens_recsys.bench.scoring import score_output, validation_rmse
from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings


@pytest.fixture(scope="module")
def split() -> Split:
    return make_split(synthetic_ratings(40, 60, 900, seed=2).ratings, RandomSplit())


def test_ratings_are_measured_on_every_test_row_and_rmse_on_validation(split: Split) -> None:
    test, validation = split.part("test"), split.part("validation")
    predictions = {
        "validation": validation.ratings + 0.25,
        "test": np.clip(test.ratings + 1, 1, 5).astype(np.float32),
    }
    output = ModelOutput({}, predictions, None)
    scored = score_output(output, split, None)
    total = scored.aggregates.total()
    assert float(total["count"]) == len(test)
    assert float(total["squared"]) == np.count_nonzero(test.ratings < 5)
    assert (scored.data_hash, scored.split_hash) == (split.ratings.content_hash, split.hash)
    assert validation_rmse(output, split) == pytest.approx(0.25)


def test_a_list_that_begins_with_every_relevant_item_is_perfect(split: Split) -> None:
    test = split.part("test")
    users = np.unique(test.users)
    lists = np.full((len(users), LIST_LENGTH), -1, np.int64)
    for row, user in enumerate(users):
        relevant = test.items[(test.users == user) & (test.ratings >= 4)]
        lists[row, : len(relevant)] = relevant
    output = ModelOutput({}, None, lists)
    total = score_output(output, split, 4.0).aggregates.total()
    empty = score_output(ModelOutput({}, None, np.full_like(lists, -1)), split, 4.0)
    assert 0 < float(total["full:ndcg"]) == float(total["full:hit_rate"])
    assert float(empty.aggregates.total()["full:ndcg"]) == 0
    assert empty.catalogue_metrics == {"full:coverage@10": 0.0}
    assert validation_rmse(output, split) is None
