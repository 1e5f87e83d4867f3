"""The process of one of our models fits it to the same rows as this process does."""

from __future__ import annotations

import numpy as np

from movielens_recsys.data.config import KFoldSplit
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits.split import make_split
from movielens_recsys.models.baselines import UserItemBias
from movielens_recsys.models.baselines_config import UserItemBiasConfig
from movielens_recsys.settings import Settings


def test_a_model_of_ours_is_fitted_on_the_same_rows(saved, saved_folder):
    [result] = [result for result in saved if result.key.name == "user_item_bias"]
    ratings = load_ratings(str(saved_folder / "small.csv"), Settings(data=saved_folder / "data"))
    split = make_split(ratings, KFoldSplit(folds=5))
    model = UserItemBias.fit(UserItemBiasConfig(), split.part("train"))
    test = split.part("test")
    with np.load(result.folder / "predictions.npz") as stored:
        np.testing.assert_allclose(stored["test"], model.predict(test.users, test.items), atol=1e-6)
    assert result.about["kind"] == "own"
    assert result.timings["passes"] == 1
