"""Trees as arrays predict what scikit-learn predicts, for new rows too."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from movielens_recsys.errors import ModelError
from movielens_recsys.models.ensemble.trees import BoostingParams, Trees

SMALL = BoostingParams(bags=2, trees=20, rows_per_leaf=20, l2=1.0, learning_rate=0.1)


def test_new_rows_get_the_predictions_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(800, 5)).round(1)
    target = np.sin(features[:, 0]) + features[:, 1] * features[:, 2]
    trees = Trees.grow(features, target, seed=3, params=SMALL)
    theirs = [
        HistGradientBoostingRegressor(
            learning_rate=0.1,
            max_iter=20,
            max_leaf_nodes=8,
            min_samples_leaf=20,
            l2_regularization=1.0,
            max_features=0.5,
            early_stopping=False,
            random_state=seed,
        ).fit(features, target)
        for seed in (3, 4)
    ]
    new = rng.normal(size=(500, 5)).round(1)
    expected = np.mean([forest.predict(new) for forest in theirs], axis=0)
    np.testing.assert_allclose(trees.predict(new), expected, atol=1e-9)


def test_another_form_of_trees_is_refused() -> None:
    with pytest.raises(ModelError, match="another form"):
        Trees._of([SimpleNamespace(_baseline_prediction=0.0, _trees=[])])
