"""The two-tower recommender: accuracy, fold-in, timestamps, bundles, and scales without timestamps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.errors import ModelError
from movielens_recsys.models.bundle import load_bundle, save_bundle
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.two_tower.recommender import TwoTowerRecommender
from movielens_recsys.recommender import TimeAwareRecommender
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.fit import fit

TRAINING = TrainingConfig(epochs=10, batch_size=1000, optimizer="adamw", learning_rate=5e-3, nll_weight=0.5)


@pytest.fixture(scope="module")
def fitted(split: Split, config: HybridVAEConfig) -> TwoTowerRecommender:
    model, _ = fit(config, TRAINING, split)
    assert isinstance(model, TwoTowerRecommender)
    return model


def rmse(model: TwoTowerRecommender, rows: Ratings) -> float:
    assert rows.timestamps is not None
    predicted = model.predict_at(rows.users, rows.items, rows.timestamps)
    return float(np.sqrt(np.mean((predicted - rows.ratings) ** 2)))


def test_training_beats_biases(fitted: TwoTowerRecommender, split: Split) -> None:
    test = split.part("test")
    biases = fitted.fallback.predict(test.users, test.items)
    assert rmse(fitted, test) < float(np.sqrt(np.mean((biases - test.ratings) ** 2)))


def test_a_batch_of_all_training_ratings_is_refused(small: HybridVAEConfig, split: Split) -> None:
    everything = TRAINING.model_copy(update={"epochs": 1, "batch_size": 1_000_000})
    with pytest.raises(ModelError, match="batch_fraction"):
        fit(small, everything, split)
    fit(small, everything.model_copy(update={"batch_fraction": 0.5}), split)


def test_a_new_user_with_a_known_users_history_gets_that_users_predictions(
    fitted: TwoTowerRecommender, split: Split
) -> None:
    train = split.part("train")
    for user in np.bincount(train.users).argsort()[[-1, 30]]:
        own = train.users == user
        folded = fitted.fold_in(train.items[own], train.ratings[own])
        known = fitted.predict(np.full(fitted.n_items, user), np.arange(fitted.n_items))
        np.testing.assert_allclose(folded, known, atol=1e-4)


def test_timestamps_change_predictions_and_survive_a_bundle(
    fitted: TwoTowerRecommender, split: Split, tmp_path: Path
) -> None:
    assert isinstance(fitted, TimeAwareRecommender)
    test = split.part("test")
    assert test.timestamps is not None
    at_timestamps = fitted.predict_at(test.users, test.items, test.timestamps)
    assert (at_timestamps != fitted.predict(test.users, test.items)).any()
    bundle = load_bundle(save_bundle(fitted, split.ratings, tmp_path / "bundle", {}))
    restored = bundle.recommender
    assert isinstance(restored, TwoTowerRecommender)
    np.testing.assert_array_equal(restored.predict_at(test.users, test.items, test.timestamps), at_timestamps)
    assert restored.network.interactions is None


def test_half_star_ratings_without_timestamps_and_titles_can_be_fitted(small: HybridVAEConfig) -> None:
    scale = Scale(0.5, 5, 0.5)
    ratings = replace(
        synthetic_ratings(60, 40, 900, seed=3, scale=scale).ratings, timestamps=None, item_table=None
    )
    split = make_split(ratings, RandomSplit(seed=3))
    model, _ = fit(small, TRAINING.model_copy(update={"epochs": 2, "batch_fraction": 0.1}), split)
    assert isinstance(model, TwoTowerRecommender)
    predicted = model.predict(ratings.users, ratings.items)
    assert predicted.min() >= 0.5
    assert predicted.max() <= 5
    assert len(model.network.cutpoints()) == 9
