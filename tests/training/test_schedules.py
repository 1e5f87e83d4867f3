from __future__ import annotations

from typing import Any

import pytest
from tests.training.small import PLAIN

from movielens_recsys.training.config import (
    KLAnnealing,
    LearningRateSchedule,
)
from movielens_recsys.training.history import EpochMetrics
from movielens_recsys.training.schedules import kl_weight_at, learning_rate_at


@pytest.mark.parametrize(
    ("shape", "weights"),
    [
        ("linear", [0.02, 0.04, 0.06, 0.08, 0.1, 0.1]),
        ("cosine", [0.02, 0.02 + 0.08 * 0.1464466, 0.06, 0.02 + 0.08 * 0.8535534, 0.1, 0.1]),
        ("cyclical", [0.02, 0.1, 0.02, 0.1, 0.1, 0.1]),
    ],
)
def test_the_kl_weight_rises_from_beta_min_and_stays(shape: Any, weights: list[float]) -> None:
    annealing = KLAnnealing(shape=shape, beta_min=0.02, epochs=4, cycles=2)
    training = PLAIN.model_copy(update={"kl_annealing": annealing})
    assert [kl_weight_at(progress, training) for progress in range(6)] == pytest.approx(weights)


def test_warm_up_cosine_and_floor() -> None:
    schedule = LearningRateSchedule(shape="cosine", warmup_epochs=2, final_share=0.1)
    changes = {"epochs": 10, "learning_rate": 1.0, "learning_rate_schedule": schedule}
    training = PLAIN.model_copy(update=changes)
    rates = [learning_rate_at(progress, training) for progress in (0.5, 1, 2, 6, 10)]
    assert rates == pytest.approx([0.25, 0.5, 1.0, 0.55, 0.1])


def test_a_plateau_lowers_the_learning_rate_each_time_patience_runs_out() -> None:
    def history(*rmse: float) -> list[EpochMetrics]:
        return [EpochMetrics(place, 1, 1, 1, value, 0, 1, 1) for place, value in enumerate(rmse, 1)]

    schedule = LearningRateSchedule(shape="plateau", factor=0.1, patience=2)
    training = PLAIN.model_copy(update={"learning_rate": 1.0, "learning_rate_schedule": schedule})
    for rmse, rate in [((3, 2), 1.0), ((3, 2, 2, 1), 1.0), ((1, 2, 2), 0.1), ((1, 2, 2, 3, 3, 0, 1), 0.01)]:
        assert learning_rate_at(9, training, history(*rmse)) == pytest.approx(rate)
