"""How far a fit goes, told beforehand."""

from __future__ import annotations

from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.composite_config import RatingRankingConfig
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.training.budget import TrainingBudget, budget_for
from movielens_recsys.training.config import EarlyStopping, TrainingConfig

TRAINING = TrainingConfig(epochs=12, early_stopping=EarlyStopping(patience=3))


def test_a_network_trains_for_its_epochs() -> None:
    assert budget_for(HybridVAEConfig(), TRAINING) == TrainingBudget(12, 3)
    assert (
        budget_for(HybridVAEConfig(), TRAINING.model_copy(update={"early_stopping": None})).patience is None
    )


def test_an_mcmc_model_is_evaluated_about_fifty_times() -> None:
    assert budget_for(BayesianMFConfig(sweeps=350), TRAINING) == TrainingBudget(50, None, 7)
    assert budget_for(BayesianMFConfig(chains=2, sweeps=240), TRAINING) == TrainingBudget(48, None, 10)
    assert budget_for(BayesianMFConfig(sweeps=20, burn_in=5), TRAINING) == TrainingBudget(20, None, 1)


def test_a_composite_model_has_the_budget_of_its_rating_model() -> None:
    both = RatingRankingConfig(stars=BayesianMFConfig(sweeps=350), lists=EASEConfig())
    assert budget_for(both, TRAINING) == TrainingBudget(50, None, 7)
