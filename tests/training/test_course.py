"""How far a fit goes, told beforehand."""

from __future__ import annotations

from movielens_recsys.models.config import BayesianMFConfig, EaseConfig, HybridVAEConfig, StarsAndListsConfig
from movielens_recsys.training.config import EarlyStopping, TrainingConfig
from movielens_recsys.training.course import Course, course_of

TRAINING = TrainingConfig(epochs=12, early_stopping=EarlyStopping(patience=3))


def test_a_network_trains_for_its_epochs() -> None:
    assert course_of(HybridVAEConfig(), TRAINING) == Course(12, 3)
    assert course_of(HybridVAEConfig(), TRAINING.model_copy(update={"early_stopping": None})).patience is None


def test_a_sampled_model_is_judged_about_fifty_times() -> None:
    assert course_of(BayesianMFConfig(sweeps=350), TRAINING) == Course(50, None, 7)
    assert course_of(BayesianMFConfig(chains=2, sweeps=240), TRAINING) == Course(48, None, 10)
    assert course_of(BayesianMFConfig(sweeps=20, burn_in=5), TRAINING) == Course(20, None, 1)


def test_two_heads_take_as_long_as_their_stars() -> None:
    both = StarsAndListsConfig(stars=BayesianMFConfig(sweeps=350), lists=EaseConfig())
    assert course_of(both, TRAINING) == Course(50, None, 7)
