"""Ratings come from the rating model, rankings from the ranking model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.errors import TrainingStopped
from movielens_recsys.models.baselines_config import UserItemBiasConfig
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.composite_config import RatingRankingConfig
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.fit import fit
from movielens_recsys.training.session import TrainingSession

NETWORK = HybridVAEConfig(n_factors=6, hidden_dims=(12, 8), latent_dim=4)
TRAINING = TrainingConfig(epochs=2, batch_size=128)


@pytest.fixture(scope="module")
def split() -> Split:
    return make_split(synthetic_ratings(50, 30, 600, seed=4).ratings, RandomSplit())


def test_ratings_and_rankings_come_from_their_models(split: Split) -> None:
    train, users = split.part("train"), np.arange(50)
    stars = build_model(BayesianMFConfig(sweeps=6, burn_in=2, n_posterior_samples=2), train)
    model = build_model(RatingRankingConfig(stars=stars.config, lists=EASEConfig()), train)
    test = split.part("test")
    assert test.timestamps is not None
    pairs = (test.users, test.items)
    np.testing.assert_array_equal(model.predict(*pairs), stars.predict(*pairs))
    np.testing.assert_array_equal(
        model.predict_at(*pairs, test.timestamps), stars.predict_at(*pairs, test.timestamps)
    )
    np.testing.assert_array_equal(model.score(users), build_model(EASEConfig(), train).score(users))


def test_a_rating_model_without_time_predicts_the_same_at_any(split: Split) -> None:
    model = build_model(
        RatingRankingConfig(stars=UserItemBiasConfig(), lists=EASEConfig()), split.part("train")
    )
    users, items = np.array([1, 2]), np.array([3, 4])
    np.testing.assert_array_equal(
        model.predict_at(users, items, np.array([0, 10**9])), model.predict(users, items)
    )


def test_a_stopped_rating_network_resumes_bit_for_bit(split: Split, tmp_path: Path) -> None:
    config = RatingRankingConfig(stars=NETWORK, lists=EASEConfig())
    whole, result = fit(config, TRAINING, split)
    assert [record.epoch for record in result.history] == [1, 2]
    with pytest.raises(TrainingStopped):
        fit(config, TRAINING, split, TrainingSession(checkpoint_folder=tmp_path, stop=lambda: True))
    resumed, _ = fit(config, TRAINING, split, TrainingSession(checkpoint_folder=tmp_path, resume=True))
    for name, array in whole.state().items():
        np.testing.assert_array_equal(array, resumed.state()[name], err_msg=name)
