"""Predictions are cached for the rows that they are of."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.ensembles.conftest import load

from movielens_recsys.data.splits.split import Split
from movielens_recsys.ensembles.predictions import predictions_of
from movielens_recsys.models.bundle import load_bundle
from movielens_recsys.settings import Settings


def test_predictions_are_cached_and_recomputed_for_other_rows(members: list[str], settings: Settings) -> None:
    predictions, split, _ = load(members, settings)
    path, expected = settings.predictions / f"{members[2]}.npz", predictions[members[2]]
    with np.load(path, allow_pickle=False) as stored:
        np.testing.assert_array_equal(stored["test_rows"], split.test)
    unused: Any = None  # calling this model would fail
    again = predictions_of(members[2], unused, split, settings)
    np.testing.assert_array_equal(again.validation, expected.validation)
    path.write_bytes(path.read_bytes()[:100])
    model = load_bundle(settings.runs / members[2] / "bundle").recommender
    np.testing.assert_array_equal(predictions_of(members[2], model, split, settings).test, expected.test)
    other = Split(split.ratings, split.config, split.train, split.validation, split.test[:-1])
    assert len(predictions_of(members[2], model, other, settings).test) == len(expected.test) - 1
