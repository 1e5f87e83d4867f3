"""An ensemble by mean is what its members say on average; the contract suite has every blend."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.errors import ModelError
from movielens_recsys.models.base import Model
from movielens_recsys.models.baselines_config import GlobalMeanConfig, PopularityConfig, UserItemBiasConfig
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.ensemble.config import EnsembleConfig
from movielens_recsys.models.ensemble.model import Ensemble, member_predictions
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.scores import standardize


@pytest.fixture(scope="module")
def split() -> Split:
    return make_split(synthetic_ratings(50, 30, 600, seed=4).ratings, RandomSplit())


@pytest.fixture(scope="module")
def members(split: Split) -> list[Model]:
    """One member whose predictions depend on the timestamp, one without time."""
    train = split.part("train")
    chain = BayesianMFConfig(n_factors=3, sweeps=6, burn_in=2, n_posterior_samples=2)
    return [build_model(chain, train), build_model(UserItemBiasConfig(), train)]


@pytest.fixture(scope="module")
def ensemble(members: list[Model], split: Split) -> Ensemble:
    return Ensemble.stack(members, "mean", split.part("train"), split.part("validation"))


def test_members_predict_at_the_timestamps_of_the_rows(
    ensemble: Ensemble, members: list[Model], split: Split
) -> None:
    test = split.part("test")
    assert test.timestamps is not None
    predictions = member_predictions(members, test)
    assert not np.array_equal(predictions[:, 0], members[0].predict(test.users, test.items))
    np.testing.assert_array_equal(predictions[:, 1], members[1].predict(test.users, test.items))
    blended = ensemble.predict_at(test.users, test.items, test.timestamps)
    np.testing.assert_allclose(blended, predictions.mean(axis=1), rtol=1e-6)


def test_scores_are_the_mean_of_standardised_scores(ensemble: Ensemble, members: list[Model]) -> None:
    users = np.array([3, 4])
    expected = np.mean([standardize(member.score(users).astype(float)) for member in members], axis=0)
    np.testing.assert_allclose(ensemble.score(users), expected, rtol=1e-5, atol=1e-6)


def test_a_new_user_is_folded_in_to_each_member(ensemble: Ensemble, members: list[Model]) -> None:
    items, ratings = np.array([3, 8]), np.array([5.0, 4.0], np.float32)
    expected = np.mean([member.fold_in(items, ratings) for member in members], axis=0)
    np.testing.assert_allclose(ensemble.fold_in(items, ratings), expected, rtol=1e-6)


def test_members_over_different_data_are_refused(members: list[Model], split: Split) -> None:
    other = build_model(GlobalMeanConfig(), synthetic_ratings(50, 31, 600, seed=4).ratings)
    with pytest.raises(ModelError, match="fitted to the same ratings"):
        Ensemble.stack([members[1], other], "mean", split.part("train"), split.part("validation"))


def test_an_ensemble_is_not_fitted_to_training_ratings_alone(split: Split) -> None:
    config = EnsembleConfig(members=(GlobalMeanConfig(), PopularityConfig()), blend="mean")
    with pytest.raises(ModelError, match="recsys ensemble run"):
        build_model(config, split.part("train"))
